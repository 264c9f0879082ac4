// SPDX-License-Identifier: Apache-2.0

/** The version of this software, the same as in package.json. */
export const VERSION = '0.1.0'
