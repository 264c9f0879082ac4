// SPDX-License-Identifier: Apache-2.0
import { homeUploads } from '#core/crypto/home-uploads.ts'
import type { Random } from '#core/ports/keys.ts'
import type { Uploads } from '#core/ports/uploads.ts'

/** Uploads that the home takes itself; a restart makes a new key, and whoever uploads just then asks again. */
export function localUploads(random: Random): Uploads {
  return homeUploads(random(32))
}
