// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { makePassphrase, readPassphrase } from '../deployment/passphrase.ts'
import { makeFolder } from '../deployment/files.ts'
import type { Common, Screen } from '../terminal/screen.ts'

/**
 * The passphrase of the institutions' key files beside a cloud deployment: made the first time, and kept in the file `passphrase` unless
 * --passphrase-file names another.
 */
export async function foundersPassphrase(
  folder: string,
  options: Pick<Common, 'passphraseFile'>,
  screen: Screen,
): Promise<StretchedPassphrase> {
  makeFolder(folder)
  const source = { kind: 'generated' } as const
  const isNew = options.passphraseFile === undefined && !existsSync(join(folder, 'passphrase'))
  const text = isNew
    ? await makePassphrase(folder, source, screen)
    : await readPassphrase(folder, source, options, screen)
  return { text, masters: new Map(), isRandom: options.passphraseFile === undefined }
}
