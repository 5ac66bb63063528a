#!/bin/bash
# The first process of a guest. Its root file system lies in memory, unpacked from the initramfs: so a
# kernel needs no disk, no network and no module. What comes of it leaves by the second serial port.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo "lab: awake"
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mkdir -p /root/lab /out
tar -x -C /root/lab -f /checkout.tar
cd /root/lab
env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH="$PATH" @COMMAND@
echo "lab: ended with status $?"
stty -F /dev/ttyS1 raw
tar -cz -C /out . | cat >/dev/ttyS1
echo "lab: done"
sleep 1 # until the last byte has left
echo o >/proc/sysrq-trigger
sleep 60
