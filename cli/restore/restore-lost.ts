// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stretchAhead, type StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { isAmpereError } from '#core/errors.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome, type RestoreOptions, type RestoreReport } from '#core/server/restore/restore.ts'
import { homeKeyFile, keyFileOf } from '../deployment/files.ts'
import { readPassphrase } from '../deployment/passphrase.ts'
import { findRunning } from '../deployment/running.ts'
import { deploymentOf } from '../deployment/deployment-of.ts'
import { actingInstitution, type ActingOptions } from '../deployment/session.ts'
import type { Settings } from '../deployment/settings.ts'
import type { CopySource } from '../mirror/copy-source.ts'
import { seenByWitnesses } from '../mirror/seen-by-witnesses.ts'
import { finishTaking, openStaging, type Staging, type Taken } from '../mirror/staging.ts'
import { homeOf } from '../open/home.ts'
import { readPolicy } from '../open/policy.ts'
import { knownHeads } from '../open/known-heads.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { EXIT, type Screen } from '../terminal/screen.ts'
import { counted, localTime } from '../terminal/words.ts'
import { renewalLines, renewWitnessKeys } from '../witness/renewal.ts'

export interface RestoreCallOptions extends ActingOptions {
  readonly acceptLoss?: boolean
  readonly withoutWitness?: boolean
}

/** Rules of losses that `--accept-loss` goes on without. */
const ACCEPTABLE: ReadonlySet<string> = new Set([
  'tail',
  'withheld',
  'keys-row',
  'keys-root',
  'destroyed-key',
  'object',
  'entries-root',
  'packages-root',
])

/** What is restored from, and how it is spoken of. */
export interface Restoring {
  readonly word: 'mirror' | 'backup'
  /** Opens the copy once it is sure that this home is lost. */
  readonly open: (from: OpenFrom) => Promise<CopySource>
  /** Looks at what was restored before it takes its place. @throws AmpereError, and it does not */
  readonly look?: (platform: Platform, home: Home, copy: CopySource) => Promise<Looked>
}

/** With what a copy is opened. */
export interface OpenFrom {
  readonly folder: string
  readonly settings: Settings
  readonly acting: string
  readonly passphrase: StretchedPassphrase
}

/** What came of looking at what was restored. */
export interface Looked {
  readonly json: object
  readonly line: string
}

/**
 * Restores the lost home of this data folder. It is made beside the home's folder and takes its place when all of it was
 * verified: what was interrupted is gone on with, and what was interrupted while it took its place is finished, whatever it
 * is restored from.
 */
export async function restoreLost(
  call: Call<RestoreCallOptions>,
  { word, open, look }: Restoring,
): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const left = finishTaking(folder)
  if (left) return said(call.screen, left, { origin: settings.origin, word, looked: null })
  const acting = actingInstitution(settings, call.options)
  await checkLost(folder, settings)
  const policy = readPolicy(folder, settings.origin)
  const without = call.options.withoutWitness === true
  const seen = await seenByWitnesses(call.screen, policy, settings.origin, without)
  const text = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
  const passphrase = await stretchAhead(text, [homeKeyFile(folder), keyFileOf(folder, acting)])
  const { origin } = settings
  const copy = await open({ folder, settings, acting, passphrase })
  try {
    const known = knownHeads(folder, settings)
    const staging = await openStaging(folder, copy.name, passphrase)
    const options = { seen, known, policy, acceptLoss: call.options.acceptLoss === true }
    const { report, looked } = await restored(call.screen, settings, copy, staging, options, look)
    // No copy has what its witness cosigned. Both files, as the next restore begins with the first one.
    const files = [homeKeyFile(folder), join(folder, 'home.restoring', 'keys.json')]
    const witness = await renewWitnessKeys(files, passphrase, origin)
    const taken = await staging.take(Date.now(), { report, since: copy.since, witness })
    return said(call.screen, taken, { origin, word, looked })
  } finally {
    await copy.close()
  }
}

async function restored(
  screen: Screen,
  settings: Settings,
  copy: CopySource,
  staging: Staging,
  options: RestoreOptions,
  look: Restoring['look'],
): Promise<{ readonly report: RestoreReport; readonly looked: Looked | null }> {
  const { source, name } = copy
  const { platform } = staging
  if (staging.isResumed) screen.say(`Going on with what was restored from ${name} before.`)
  screen.stopping.keeps(() => 'What was restored so far is kept: the same command goes on with it.')
  const target = homeOf(settings, platform)
  const progress = screen.progress({ doing: 'Restoring', unit: 'blocks' })
  try {
    const ports = await select(platform, RESTORE_NEEDS)
    const report = await restoreHome(source, ports, target, {
      ...options,
      restored: (blocks) => progress.update(blocks),
    })
    return { report, looked: (await look?.(platform, target, copy)) ?? null }
  } catch (error) {
    if (isAmpereError(error) && error.message.includes('rule log-ahead'))
      throw refuse(
        error.code,
        `THE LOG OF THIS HOME WENT ON AFTER THIS COPY WAS MADE: ${error.message}`,
        'ask other mirrors and backups for a newer copy; without one this log has ended (docs/OPERATIONS.md, "Mirrors")',
        error,
      )
    if (isAmpereError(error, 'VERIFICATION_FAILED', 'SIGNATURE_INVALID', 'LOG_MALFORMED'))
      throw refuse(error.code, error.message, nextFor(error.message), error)
    if (!isAmpereError(error, 'ALREADY_EXISTS')) throw error
    await staging.discard()
    const message = `${name} has another state of this home than it had before: what was restored of it is removed`
    throw refuse('ALREADY_EXISTS', message, 'the same command again: it begins anew', error)
  } finally {
    progress.stop()
    await platform.close().catch(() => undefined)
  }
}

/** What can be gone on without is named when it is accepted; the rest another mirror may have as it was signed. */
function nextFor(message: string): string {
  const other = 'another mirror, or a newer copy of this one, may have it'
  const left = 'home.restoring/ stays in the data folder, and the next restore goes on with it or begins anew'
  const rule = /rule ([\w-]+):/.exec(message)?.[1] ?? ''
  return ACCEPTABLE.has(rule)
    ? `${other}; or --accept-loss, which goes on without it and names all that is lost (${left})`
    : `${other}; --accept-loss changes nothing here (${left})`
}

function said(
  screen: Screen,
  { report, since, kept, witness }: Taken,
  {
    origin,
    word,
    looked,
  }: { readonly origin: string; readonly word: string; readonly looked: Looked | null },
): number {
  const { chains, blocks, erasures, logSize, logSignedAt, unexplained, losses, unwitnessed, notHeld } = report
  const ok = losses.length + unwitnessed.length + unexplained + notHeld.length === 0
  screen.print({ ok: true, ...report, since, kept, witness, ...looked?.json }, [
    `Restored: ${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(erasures, 'erasure')} carried out again.`,
    `The log goes on after ${logSize} entries, signed ${localTime(logSignedAt)}; ${unexplained} of them are of chains that the ${word} does not hold.`,
    ...losses.map(({ chain, height, rule }) => `Lost: chain ${chain}, block ${height} (${rule})`),
    ...(unwitnessed.length === 0
      ? []
      : [
          `Lost: ${counted(unwitnessed.length, 'witnessed checkpoint')} without the quorum of policy.txt (trees of ${unwitnessed.join(', ')} entries): their blocks are witnessed anew, later.`,
        ]),
    ...notHeld.map((chain) => `Not held by the ${word}: chain ${chain}`),
    since === null
      ? 'The mirror never ended a run: anything may be lost.'
      : `Incomplete as of ${localTime(since)}, ${word === 'mirror' ? 'when the mirror says it copied last' : 'when the backup was begun'}: what was acknowledged after ${since} may be lost, erasures too.`,
    ...(looked ? [looked.line] : []),
    `The folder of the lost home is kept as ${kept}, with a copy of keys.json: remove it once all verifies.`,
    ...renewalLines(witness, origin),
    'Whose logs it witnessed no copy has: npx ampere witness accept URL, for each again.',
    'Next  npx ampere verify --all, then npx ampere start',
  ])
  return ok ? EXIT.ok : EXIT.verification
}

/** Nothing may live here: neither a folder with a home, nor a server that answers as this very home. */
async function checkLost(folder: string, settings: Settings): Promise<void> {
  const keys = homeKeyFile(folder)
  if (!existsSync(keys))
    throw refuse(
      'KEY_UNAVAILABLE',
      `the key file ${keys} is not there`,
      'restore it from its own backup: no mirror and no backup of the home has it',
    )
  if (existsSync(join(folder, 'home', 'ampere.db')))
    throw refuse(
      'ALREADY_EXISTS',
      'this folder has a home, and nothing is overwritten',
      'move home/ampere.db and home/objects away',
    )
  if (await findRunning(settings))
    throw refuse(
      'ALREADY_EXISTS',
      `this home answers at ${settings.origin}: it is not lost, and two that go on with one log fork it`,
      'stop it for good before it is restored',
    )
}
