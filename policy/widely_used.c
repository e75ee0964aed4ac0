/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The assembler puts the file into the object as it is, so what was reviewed is what is compiled
 * in.
 */
#include "policy/widely_used.h"

__asm__(".section .rodata\n"
        "widely_used_begin:\n"
        ".incbin \"policy/widely-used.txt\"\n"
        "widely_used_end:\n"
        ".previous\n");

extern const char widely_used_begin[] __attribute__((visibility("hidden")));
extern const char widely_used_end[] __attribute__((visibility("hidden")));

const char *widely_used_text(size_t *size)
{
    *size = (size_t)(widely_used_end - widely_used_begin);
    return widely_used_begin;
}
