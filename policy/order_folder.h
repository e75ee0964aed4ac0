/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What lies in the orders folder: one folder per country or group, order files (*.yaml, *.yml) at
 * any depth below. Only names and places are found here; nothing is opened but folders. The root
 * may be a symbolic link; it is resolved once, and all paths of one walk are read below that one
 * open folder, so a release that is switched by its link is seen whole or not at all.
 */
#pragma once

#include "geo/problem.h"
#include "policy/order_file.h"

struct order_folder_entry {
    char *path;                      /* below the root: "IT/milano-2022-07-11.yaml" */
    struct order_folder_scope scope; /* of the folder at the top; empty for a file at the top */
    bool is_order; /* ends in .yaml or .yml; else a file that some order may name as a list */
};

struct order_folder {
    int descriptor; /* the open root, for reading entries with openat; -1 when closed */
    struct order_folder_entry *entries; /* sorted bytewise by path */
    size_t count;
};

/* Walks the root. False if the root itself cannot be read or memory is out (the reason is in
 * problems). A folder that names no country or group, an order at the top, a folder below that
 * cannot be read or lies too deep, a symbolic link to a folder: problems (errors), and the walk
 * goes on. Names beginning with a dot or ending in "~" are passed over. Everything else is an
 * entry, even what cannot be opened (a link that leads nowhere, a FIFO), so that no order goes
 * missing in silence. Symbolic links below the root are followed to files only. */
#define ORDER_FOLDER_DEPTH 16
bool order_folder_read(const char *root, struct order_folder *out, struct problem_list *problems);
void order_folder_fini(struct order_folder *folder);
