/* Lengths of names of files, in bytes: PATH_MAX counts the NUL at the end, NAME_MAX does not. */
#ifndef LAB_LINUX_LIMITS_H
#define LAB_LINUX_LIMITS_H

#define NAME_MAX 255
#define PATH_MAX 4096

#endif
