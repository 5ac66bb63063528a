// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The same with the key 0, which is always there. From Linux 6.14 (d2102f2f5d75) the verifier knows
 * that, too. */
// EXPECT: verifier_refused
// LOG: invalid mem access 'map_value_or_null'
// REASON: null-check
// ACCEPTED IF: constant_key_is_found

BPF_ARRAY(numbers, u64, 4);

int null_check_constant(void *ctx)
{
	u32 key = 0;
	u64 *number = numbers.lookup(&key);
	*number = 1;
	return 0;
}
