/* Ctrl-C in a call that has let go of the interpreter's lock. */
#ifndef RBMFLOW_INTERRUPT_H
#define RBMFLOW_INTERRUPT_H

#include <Python.h>

#define LOOK_NANOSECONDS 100000000 /* of work, about, between two looks */

/* Add to the work done since the last look; -1 with the exception set if a signal asks to stop.
   It is told to the main thread only. */
static int interrupted(int64_t *done, int64_t nanoseconds)
{
    *done += nanoseconds;
    if (*done < LOOK_NANOSECONDS)
        return 0;
    *done = 0;
    PyGILState_STATE held = PyGILState_Ensure();
    int found = PyErr_CheckSignals();
    PyGILState_Release(held);
    return found;
}

#endif
