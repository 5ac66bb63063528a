/* Open, load, attach, and leave: what bpftool's skeleton makes of it. */
#include "exec_events.skel.h"

int main(void)
{
	struct exec_events *program = exec_events__open_and_load();

	if (!program || exec_events__attach(program))
		return 1;
	exec_events__destroy(program);
	return 0;
}
