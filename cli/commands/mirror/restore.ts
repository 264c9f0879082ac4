// SPDX-License-Identifier: Apache-2.0
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { logOriginOf } from '#core/api/log.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select } from '#core/ports/needs.ts'
import { storedSource } from '#core/server/copy/source.ts'
import { copyOf } from '#core/server/mirror/copy-of.ts'
import { readLastRun } from '#core/server/mirror/last-run.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome } from '#core/server/restore/restore.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import { homeKeyFile } from '../../deployment/files.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { deploymentOf } from '../../deployment/session.ts'
import { readPolicy } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

interface RestoreCallOptions extends Common {
  readonly acceptLoss?: boolean
  readonly withoutWitness?: boolean
}

const ASK_MS = 10_000

/**
 * Restores the home of this data folder from the data folder of a mirror. It is made beside the home's folder and takes its
 * place when all of it was verified: what was interrupted is begun anew.
 */
export async function restoreFromMirror(call: Call<RestoreCallOptions>): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const [home, staging] = [join(folder, 'home'), join(folder, 'home.restoring')]
  checkLost(folder)
  const seen = await seenByWitnesses(folder, settings.origin, call.options.withoutWitness === true)
  const text = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
  const mirror = openMirrorFolder(resolve(call.args[0] ?? ''))
  rmSync(staging, { recursive: true, force: true })
  const platform = openLocal({ folder: withKeys(staging, folder), passphrase: text })
  try {
    const deployment = asDeploymentId(settings.deployment)
    const copy = copyOf(mirror.stores, deployment)
    const last = await readLastRun(copy)
    const verifiers = createVerifiers()
    const registry = createRegistrySource(platform.table('registry'), settings.registry, verifiers)
    const { origin } = settings
    const target = { deployment, origin, durability: 'local', backupDays: 0, registry, verifiers } as const
    const options = { seen, acceptLoss: call.options.acceptLoss === true }
    const report = await restoreHome(
      storedSource(copy),
      await select(platform, RESTORE_NEEDS),
      target,
      options,
    )
    await platform.close()
    renameSync(home, join(folder, `home.lost-${Date.now()}`))
    renameSync(staging, home)
    const since = last?.time ?? null
    call.screen.print({ ok: true, ...report, since }, [
      `Restored: ${report.chains} chains, ${report.blocks} blocks, ${report.erasures} erasures carried out again.`,
      `The log goes on after ${report.logSize} entries; ${report.unexplained} of them are of chains that the mirror does not hold.`,
      ...report.losses.map(({ chain, height, rule }) => `Lost: chain ${chain}, block ${height} (${rule})`),
      since === null
        ? 'The mirror never ended a run: anything may be lost.'
        : `What was acknowledged after ${since} may be lost, erasures too.`,
      'Next  npx ampere verify --all, then npx ampere start',
    ])
    return report.losses.length === 0 ? EXIT.ok : EXIT.verification
  } finally {
    await platform.close().catch(() => undefined)
    await mirror.close()
  }
}

function checkLost(folder: string): void {
  const keys = homeKeyFile(folder)
  if (!existsSync(keys))
    throw refuse(
      'KEY_UNAVAILABLE',
      `the key file ${keys} is not there`,
      'restore it from its own backup: no mirror has it',
    )
  if (existsSync(join(folder, 'home', 'ampere.db')))
    throw refuse(
      'ALREADY_EXISTS',
      'this folder has a home, and nothing is overwritten',
      'move home/ampere.db and home/objects away',
    )
}

function withKeys(staging: string, folder: string): string {
  cpSync(homeKeyFile(folder), join(staging, 'keys.json'))
  return staging
}

function openMirrorFolder(folder: string) {
  if (!existsSync(join(folder, 'home', 'ampere.db')))
    throw refuse(
      'NOT_FOUND',
      `there is no mirror in ${folder}`,
      'name the data folder of the mirror, or a copy of it',
    )
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true })
  const tables = { mirror: platform.table('mirror'), 'mirror-keys': platform.table('mirror-keys') }
  return {
    stores: { tables, objects: { mirror: platform.objects('mirror') } },
    close: () => platform.close(),
  }
}

/** What the witnesses of the policy cosigned last: who saw a larger tree than the mirror has, has proof of any fork. */
async function seenByWitnesses(folder: string, origin: string, without: boolean): Promise<readonly string[]> {
  const urls = new Set((readPolicy(folder, origin)?.witnesses ?? []).flatMap(({ url }) => url ?? []))
  const notes: string[] = []
  for (const url of urls) {
    try {
      const at = `${url.replace(/\/$/, '')}/${logIdOf(logOriginOf(origin))}/checkpoint`
      const response = await fetch(at, { signal: AbortSignal.timeout(ASK_MS), redirect: 'error' })
      if (response.status === 404) continue
      if (!response.ok) throw new TypeError(`answered ${response.status}`)
      notes.push(await response.text())
    } catch (cause) {
      if (without) continue
      const next =
        'wait for it; with --without-witness the log may fork, if it signed more than the mirror has'
      throw refuse('UPSTREAM_FAILED', `the witness ${url} does not say what it saw`, next, cause)
    }
  }
  return notes
}
