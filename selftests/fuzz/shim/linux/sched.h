/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands for the kernel header of this name. */
#include "../shim.h"
