// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch, Now, Random } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import type { Home } from '#core/server/home.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import type { RoleApp } from '#functions/host/app.ts'
import type { RunningTelemetry } from '#functions/host/otel/create.ts'
import type { Log } from '#functions/host/telemetry.ts'
import type { Settings } from '../deployment/settings.ts'
import { readWatched } from '../monitor/watched.ts'
import { HOME_LOST } from '../program/damaged.ts'
import { refuse } from '../program/refuse.ts'
import { readMirrored } from './mirror.ts'
import { readPolicy } from './policy.ts'

const now = () => Date.now()
/** A clock that nobody sets, and what the other one said when this process began. */
export const PROCESS_CLOCK = {
  elapsed: () => performance.now(),
  began: { wallMs: performance.timeOrigin, elapsedMs: 0 },
}
const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** A home opened in this process. */
export interface OpenHome {
  readonly platform: Platform
  readonly home: Home
  readonly app: RoleApp
  /** Looks after its log; due every `SEQUENCE_MS`. */
  readonly tendLog: () => Promise<void>
  /** Looks at the logs that it monitors; due every `MONITOR_MS`. */
  readonly watchLogs: () => Promise<void>
  /** Follows its registry, where that is at home elsewhere; due every `FOLLOW_MS`. */
  readonly follow: () => Promise<void>
  /** Takes on what was asked for and goes on in slices; due every `JOBS_MS`. */
  readonly doJobs: () => Promise<void>
  /** Whom audits of its log believe. */
  readonly logTrust: LogTrust
  readonly fetch: Fetch
  /** By which it signs. @throws AmpereError CLOCK_SKEW while it does not stand */
  readonly clock: Now
}

/** How a home is opened. */
export interface HomeOpening {
  /** Is awaited before its policy is read. */
  readonly prepare?: (platform: Platform) => Promise<void>
  /**
   * Its stores are opened to be read: no erasure is carried out, no sequencer runs, and whatever would write is refused.
   * What is damaged is found as it is.
   */
  readonly looksOnly?: boolean
  /** By what its requests and the calls of its stores and keys are measured. */
  readonly measured?: Pick<RunningTelemetry, 'telemetry' | 'around'> | null
}

/**
 * Opens the home of a data folder; it belongs to this process until its platform is closed.
 * @throws AmpereError as `openLocal` does, and CONFIGURATION for a policy or a list of monitored logs that is wrong
 */
export async function openHome(
  folder: string,
  settings: Settings,
  passphrase: string | StretchedPassphrase,
  log: Log,
  { prepare = async () => {}, looksOnly = false, measured = null }: HomeOpening = {},
): Promise<OpenHome> {
  if (settings.elsewhere === true) throw homeElsewhere(settings)
  checkHome(folder)
  const local = openLocal({ folder: join(folder, 'home'), passphrase, readOnly: looksOnly })
  const platform = measured ? measured.around(local) : local
  try {
    await prepare(platform)
    const home = homeOf(settings, platform)
    const watched = () => readWatched(folder)
    // A file that is wrong is said at the start, where somebody looks, and not by the first round.
    watched()
    const { app, ...rest } = await homeApp(
      platform,
      home,
      { now, random, log, ...(measured ? { telemetry: measured.telemetry } : {}) },
      {
        policy: readPolicy(folder, settings.origin),
        ...PROCESS_CLOCK,
        watched,
        mirrored: () => readMirrored(folder),
        looksOnly,
        bridges: settings.institutions,
      },
    )
    return { platform, home, app, ...rest, fetch: async (request) => app.fetch(request) }
  } catch (error) {
    await platform.close()
    throw error
  }
}

/** What has to be done where the home is. */
export function homeElsewhere({ origin }: Pick<Settings, 'origin'>): Error {
  return refuse(
    'UNSUPPORTED',
    `the home of this folder is on another machine, ${origin}: here are only keys that were enrolled there`,
    'run this command there',
  )
}

/**
 * A home whose database is gone is lost: opening it would begin an empty one in its place, where a restore then finds a home.
 * @throws AmpereError NOT_FOUND
 */
export function checkHome(folder: string): void {
  const file = join(folder, 'home', 'ampere.db')
  if (existsSync(file)) return
  throw refuse(
    'NOT_FOUND',
    `${file} is not there: the home of this folder is lost, and none is begun in its place`,
    HOME_LOST,
  )
}

/** The home of a deployment on a platform of this computer. */
export function homeOf(
  { deployment, origin, registry, backups }: Pick<Settings, 'deployment' | 'origin' | 'registry' | 'backups'>,
  platform: Platform,
): Home {
  const verifiers = createVerifiers()
  return {
    deployment: asDeploymentId(deployment),
    origin,
    durability: 'local',
    backupDays: backups?.days ?? 0,
    registry: createRegistrySource(platform.table('registry'), registry, verifiers),
    verifiers,
  }
}
