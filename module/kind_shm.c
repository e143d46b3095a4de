// SPDX-License-Identifier: GPL-2.0-only
/* State kind: objects of shared memory, saved when a mapping or a descriptor refers to them. */

#include <linux/err.h>
#include <linux/file.h>

#include "kinds.h"
#include "restorer.h"
#include "shm.h"

static int open_objects(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SHM) {
		const struct ckpt_image_shm *shm = rec->data;
		bool is_named = shm->flags & CKPT_SHM_NAMED;
		struct file *file = is_named ? ckpt_shm_make_named(rec) : ckpt_shm_make(rec);
		int err;

		if (!file)
			continue;
		if (IS_ERR(file))
			return ckpt_restore_error(r, PTR_ERR(file),
						  "%s: %llu bytes cannot be made: error %ld",
						  shm->name, shm->size, -PTR_ERR(file));
		err = ckpt_objtab_put_file(r->objects, rec->id, file);
		if (err)
			return err;
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_shm = {
	.name = "shm",
	.type = CKPT_REC_SHM,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_shm),
	.count = CKPT_ANY,
	.shared = true,
	.verify = ckpt_shm_verify,
	.open = open_objects,
};
