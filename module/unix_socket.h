/* SPDX-License-Identifier: GPL-2.0-only */
/* Unix sockets: names, connections between two of them, and those that wait to be accepted. */
#ifndef CKPT_UNIX_SOCKET_H
#define CKPT_UNIX_SOCKET_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

struct ckpt_record;
struct ckpt_restorer;
struct ckpt_saver;
struct ckpt_sock;

/* What keeps a socket from being brought back: text to be freed, NULL or ERR_PTR(-ENOMEM). */
char *ckpt_unix_obstacle(struct ckpt_saver *s, const struct ckpt_sock *x);
/* Saves what is special to them: 0, or -ENOMEM when a path was too much. */
int ckpt_unix_save(struct ckpt_saver *s, const struct ckpt_sock *x, struct ckpt_image_socket *i);

/* Whether the record of one is sound by itself. */
bool ckpt_unix_is_valid(const struct ckpt_image_socket *i);
/* Looks at what crosses records: 0 or the reason was told. */
int ckpt_unix_verify_all(struct ckpt_restorer *r);
/* Names those that were made, and connects them. */
int ckpt_unix_connect_all(struct ckpt_restorer *r);
/* Appends what gives the files of their names to their owners. */
int ckpt_unix_script(struct ckpt_restorer *r);
/* Once the queues are full: gives them their options and what else they had. */
int ckpt_unix_finish_all(struct ckpt_restorer *r);
/* Once all processes are there: tells who their peers are, and lets those go that were gone. */
int ckpt_unix_settle_all(struct ckpt_restorer *r);

#endif /* CKPT_UNIX_SOCKET_H */
