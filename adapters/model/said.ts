// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'

/** A name that a server gives, short and printable: it is kept in findings. Null for anything else. */
export const serverName = v.fallback(v.nullable(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,256}$/))), null)

/** A text, or null where a server gives anything else. */
export const textOrNull = v.fallback(v.nullable(v.string()), null)
