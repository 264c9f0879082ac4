// SPDX-License-Identifier: Apache-2.0
import { homeUploads } from '#core/crypto/home-uploads.ts'
import type { Random } from '#core/ports/keys.ts'
import type { Uploads } from '#core/ports/uploads.ts'

/** Uploads that the home takes itself; what was signed is good for as long as its process lives. */
export function memoryUploads(random: Random): Uploads {
  return homeUploads(random(32))
}
