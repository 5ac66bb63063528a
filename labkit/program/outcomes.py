"""What can become of a build: five outcomes and no more, each with its words."""

from __future__ import annotations

ACCEPTED = "accepted"
COMPILER_REFUSED = "compiler_refused"
VERIFIER_REFUSED = "verifier_refused"
HOST_REFUSED = "host_refused"
WORKER_DIED = "worker_died"

OUTCOMES = {
    ACCEPTED: "both gates let it through",
    COMPILER_REFUSED: "the compiler refused it; the kernel never saw it",
    VERIFIER_REFUSED: "the kernel's verifier refused it",
    HOST_REFUSED: "this machine refused before the verifier looked",
    WORKER_DIED: "the process that built it died",
}

# The same in a table or in one line with other things.
IN_SHORT = {
    ACCEPTED: "accepted",
    COMPILER_REFUSED: "refused by the compiler",
    VERIFIER_REFUSED: "refused by the verifier",
    HOST_REFUSED: "refused by this machine",
    WORKER_DIED: "its process died",
}
