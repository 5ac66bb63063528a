// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Any number is used as an address. */
// EXPECT: verifier_refused
// LOG: invalid mem access 'scalar'
// LOG: invalid mem access 'inv'
// REASON: not-a-pointer

int number_as_pointer(void *ctx)
{
	u64 *somewhere = (u64 *)bpf_ktime_get_ns();
	return *somewhere;
}
