// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { fromUtf8, toHex } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { readCopyOf } from '#core/server/mirror/copy-of.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '#core/server/store/log.ts'
import { makeFolder } from '../../deployment/files.ts'
import { findRunning } from '../../deployment/running.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { evidenceFolder } from '../../evidence/files.ts'
import { forgetCopy } from '../../mirror/forget.ts'
import { checkHome } from '../../open/home.ts'
import { readMirrored, writeMirrored, type MirroredEntry } from '../../open/mirror.ts'
import type { Call } from '../../program/command.ts'
import { noneSuch, refuse } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { counted, plain } from '../../terminal/words.ts'

/** Mirrors a home no more, and deletes the copy of it. What its log signed last stays as a file. */
export async function removeMirrored(call: Call<Common & GraveOptions>): Promise<number> {
  const { screen, options } = call
  const { folder, settings } = deploymentOf(call)
  const entry = mirroredAt(folder, call.args[0] ?? '')
  const { deployment, origin, institution } = entry
  checkHome(folder)
  if (await findRunning(settings))
    throw refuse(
      'STORE_LOCKED',
      'the server of this mirror runs, and copies',
      'stop it with Ctrl+C, then do the same again',
    )
  const says = [
    `Deletes the sealed copy of ${plain(origin)} (${deployment}) in ${folder} for good.`,
    'If that home has lost blocks, the copy may be the only one: keep a copy of this folder first.',
    'Kept are the newest signed checkpoint of its log, and all evidence. Nothing changes at the home.',
  ]
  const isRemoved = await confirmGrave(screen, options, { says, name: origin })
  const checkpoint = isRemoved ? await keepCheckpoint(folder, entry) : null
  const removed = isRemoved ? await forgetCopy(folder, deployment) : null
  if (isRemoved) writeMirrored(folder, others(folder, entry))
  screen.print(
    { ok: true, removed: isRemoved, dryRun: !isRemoved, deployment, origin, checkpoint },
    removed === null
      ? ['Nothing was removed (--dry-run).']
      : [
          `${plain(origin)} is mirrored no more: ${counted(removed.rows, 'row')} and ${counted(removed.objects, 'object')} were deleted.`,
          ...(checkpoint === null ? [] : [`What its log signed last is kept as ${checkpoint}`]),
          `Begin anew  npx ampere mirror join ${plain(origin)}`,
          `Or, in the data folder of that home:  ampere revoke RECORD ${institution}, for each record`,
        ],
  )
  return EXIT.ok
}

/** @throws AmpereError NOT_FOUND, naming those that there are */
function mirroredAt(folder: string, text: string): MirroredEntry {
  const all = readMirrored(folder)
  const wanted = text.replace(/\/+$/, '')
  const entry = all.find(({ origin }) => origin === wanted)
  if (entry) return entry
  const known = all.map(({ origin }) => origin)
  throw noneSuch(wanted, 'is not mirrored here', known, 'npx ampere mirror status')
}

/** Read again: somebody may have added one while it was asked. */
function others(folder: string, { deployment }: MirroredEntry): readonly MirroredEntry[] {
  return readMirrored(folder).filter((each) => each.deployment !== deployment)
}

/** What the log signed of what was copied is proof against it, should it show another history. @returns the file, or null where there is none */
async function keepCheckpoint(folder: string, { deployment }: MirroredEntry): Promise<string | null> {
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true, readOnly: true })
  try {
    const stores = {
      tables: { mirror: platform.table('mirror'), 'mirror-keys': platform.table('mirror-keys') },
      objects: { mirror: platform.objects('mirror') },
    }
    const { checkpoints } = readCopyOf(stores, deployment).tables
    const row = await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
    if (!row) return null
    const note = fromUtf8(row.value)
    makeFolder(evidenceFolder(folder))
    // Named by what it says: two that were signed for one size are the proof, and neither takes the place of the other.
    const said = `${checkpointIn(note).size}-${toHex(sha256(row.value)).slice(0, 16)}`
    const file = join(evidenceFolder(folder), `mirrored-${deployment}-${said}.note`)
    writeFileSync(file, note, { mode: 0o600, flush: true })
    return file
  } finally {
    await platform.close()
  }
}
