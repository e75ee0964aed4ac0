/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts what the heap is asked for and which locks are taken, by functions that stand before the C
 * library's. For paths that must do neither. Each test binary includes it once.
 */
#pragma once

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* The sanitizers have an allocator of their own, whose place is not to be taken. */
#ifndef __has_feature
#define __has_feature(feature) 0 /* clang's way to ask */
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_HEAP 0
#else
#define COUNTS_HEAP 1
#endif

static unsigned heap_calls;
__attribute__((unused)) static unsigned lock_calls; /* not every test asks */

#if COUNTS_HEAP
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
    heap_calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    heap_calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    heap_calls++;
    return __libc_realloc(memory, size);
}

void free(void *memory)
{
    heap_calls++;
    __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*next)(pthread_mutex_t *);
    lock_calls++;
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    }
    return next(mutex);
}
#endif
