// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: sockets. The socket kind makes them. */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <net/sock.h>

#include "file_types.h"
#include "image_read.h"
#include "objtab.h"
#include "restorer.h"
#include "saver.h"
#include "socket_families.h"
#include "sockets.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return S_ISSOCK(file_inode(file)->i_mode);
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	struct socket *sock = sock_from_file(f->file);
	const struct ckpt_sock *x = sock && sock->sk ? ckpt_sock_find(s, sock->sk) : NULL;
	char *why = x ? ckpt_socket_obstacle(s, x) : NULL, text[CKPT_FD_TEXT_LEN];

	if (!x) {
		ckpt_save_refuse(s, "file", "%s: %s: has no protocol: close it before the save",
				 ckpt_fd_text(f, text, sizeof(text)), i->path);
		return 0;
	}
	if (IS_ERR(why))
		return PTR_ERR(why);
	if (why)
		ckpt_save_refuse(s, "file", "%s: %s: %s: close it before the save",
				 ckpt_fd_text(f, text, sizeof(text)), i->path, why);
	else
		i->object = x->id;
	kfree(why);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;

	if (ckpt_restore_object(r, CKPT_REC_SOCKET, i->object))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
}

const struct ckpt_file_type ckpt_file_socket = {
	.type = CKPT_FILE_SOCKET,
	.is_private = true,
	.recognise = recognise,
	.save = save,
	.verify = verify,
};
