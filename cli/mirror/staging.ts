// SPDX-License-Identifier: Apache-2.0
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import type { RestoreReport } from '#core/server/restore/restore.ts'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { homeKeyFile } from '../deployment/files.ts'
import type { RenewedWitness } from '../witness/renewal.ts'

/** A home that is being restored, beside the place that it will take. */
export interface Staging {
  readonly platform: Platform
  /** True when an earlier restore from the same mirror is gone on with. */
  readonly isResumed: boolean
  /** Puts it in the place of the home, whole. What a crash leaves of that `finishTaking` finishes. */
  readonly take: (nowMs: number, outcome: Outcome) => Promise<Taken>
  /** Forgets what was restored, so that the next time begins anew. */
  readonly discard: () => Promise<void>
}

/** What came of a restore, and since when it is behind what was acknowledged. */
export interface Outcome {
  readonly report: RestoreReport
  /** When the mirror copied last, as it says. */
  readonly since: Timestamp | null
  /** The keys with which its witness goes on. */
  readonly witness: RenewedWitness
}

/** The same of a home that took its place. */
export interface Taken extends Outcome {
  /** Where the lost one is kept, with its copy of the key file. */
  readonly kept: string
}

/** Names the mirror from which a home is being restored. */
const FROM = 'restored-from'
/** Is there once all of it is restored and verified, from before the lost home is moved until both markers are removed; says what came of it. */
const WHOLE = 'restored-whole.json'

/**
 * The steps in which a restored home takes its place. Whichever is the last that was done, either the home is where it was, and
 * the restore can be gone on with, or `finishTaking` does the rest.
 */
export function stepsToTake(folder: string, taken: Taken): readonly (() => void)[] {
  const [home, staging] = placesIn(folder)
  const whole = join(staging, WHOLE)
  return [
    () => writeFileSync(`${whole}.tmp`, JSON.stringify(taken), { mode: 0o600, flush: true }),
    () => renameSync(`${whole}.tmp`, whole),
    () => renameSync(home, taken.kept),
    ...stepsToFinish(folder),
  ]
}

function stepsToFinish(folder: string): readonly (() => void)[] {
  const [home, staging] = placesIn(folder)
  return [
    () => renameSync(staging, home),
    () => rmSync(join(home, FROM), { force: true }),
    () => rmSync(join(home, WHOLE)),
  ]
}

/** Does what a crash left of `take`: until then there may be no `home/` at all. @returns what came of that restore; null where nothing is left */
export function finishTaking(folder: string): Taken | null {
  const [home, staging] = placesIn(folder)
  const isMoved = existsSync(join(home, WHOLE))
  if (!isMoved && (existsSync(home) || !existsSync(join(staging, WHOLE)))) return null
  const taken = JSON.parse(readFileSync(join(isMoved ? home : staging, WHOLE), 'utf8')) as Taken
  for (const step of stepsToFinish(folder).slice(isMoved ? 1 : 0)) step()
  return taken
}

function placesIn(folder: string): readonly [home: string, staging: string] {
  return [join(folder, 'home'), join(folder, 'home.restoring')]
}

/**
 * Opens what an interrupted restore left, or a new folder where there is none, or one from another mirror. One process
 * restores at a time. @throws AmpereError STORE_LOCKED
 */
export async function openStaging(
  folder: string,
  from: string,
  passphrase: string | StretchedPassphrase,
): Promise<Staging> {
  const [, staging] = placesIn(folder)
  const marker = join(staging, FROM)
  const open = () => {
    mkdirSync(staging, { recursive: true, mode: 0o700 })
    cpSync(homeKeyFile(folder), join(staging, 'keys.json'))
    return openLocal({ folder: staging, passphrase })
  }
  // Whoever has the folder open is restoring: its lock is asked for before anything there is removed.
  let platform = open()
  const isResumed = existsSync(marker) && readFileSync(marker, 'utf8') === from
  if (!isResumed) {
    await platform.close()
    rmSync(staging, { recursive: true, force: true })
    platform = open()
    writeFileSync(marker, from, { mode: 0o600 })
  }
  // It was whole, and is until something is written; whether it is again its next restore says.
  rmSync(join(staging, WHOLE), { force: true })
  return {
    platform,
    isResumed,
    take: async (nowMs, outcome) => {
      await platform.close()
      const taken = { ...outcome, kept: join(folder, `home.lost-${nowMs}`) }
      for (const step of stepsToTake(folder, taken)) step()
      return taken
    },
    discard: async () => {
      await platform.close()
      rmSync(staging, { recursive: true, force: true })
    },
  }
}
