// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A helper of a number that no kernel has. */
// EXPECT: verifier_refused
// LOG: invalid func
// REASON: helper

static long (*from_the_future)(void) = (void *)99999;

int unknown_helper(void *ctx)
{
	return from_the_future();
}
