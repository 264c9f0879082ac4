// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId, type DeploymentId } from '#core/bytes/ids.ts'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Signer } from '#core/ports/keys.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import type { Asking } from '#core/server/mirror/ask-home.ts'
import { readCopyOf } from '#core/server/mirror/copy-of.ts'
import { askCopy, mirrorSource } from '#core/server/mirror/home-source.ts'
import { readLastRun } from '#core/server/mirror/last-run.ts'
import type { Settings } from '../deployment/settings.ts'
import { actingInstance, openInstitution } from '../open/institution.ts'
import { refuse, usage } from '../program/refuse.ts'

/** A mirror's copy of a home, wherever it is. */
export interface CopySource {
  /** The folder or the origin. */
  readonly name: string
  readonly source: HomeSource
  /** When the mirror copied last, as it says; null where no run of it ended. */
  readonly since: Timestamp | null
  readonly close: () => Promise<void>
}

/** True for what is a server rather than a folder. */
export function isServer(given: string): boolean {
  return /^https?:\/\//.test(given)
}

/** The copy that a mirror has, by its folder or by the URL of its server, which is asked as an institution of this folder. */
export async function openMirrorCopy(
  given: string,
  {
    folder,
    settings,
    acting,
    passphrase,
  }: {
    readonly folder: string
    readonly settings: Settings
    readonly acting: string
    readonly passphrase: StretchedPassphrase
  },
): Promise<CopySource> {
  const deployment = asDeploymentId(settings.deployment)
  if (!isServer(given)) return openCopyFolder(given, deployment)
  const { origin, registry } = settings
  const institution = await openInstitution(folder, acting, passphrase)
  return openCopyServer(given, { deployment, origin, registry }, actingInstance(institution))
}

/** The copy in the data folder of a mirror, or in a copy of that. @throws AmpereError NOT_FOUND */
export async function openCopyFolder(given: string, deployment: DeploymentId): Promise<CopySource> {
  const folder = resolve(given)
  if (!existsSync(join(folder, 'home', 'ampere.db')))
    throw refuse(
      'NOT_FOUND',
      `there is no mirror in ${folder}`,
      'name the data folder of the mirror, a copy of it, or the URL of its server',
    )
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true })
  const stores = {
    tables: { mirror: platform.table('mirror'), 'mirror-keys': platform.table('mirror-keys') },
    objects: { mirror: platform.objects('mirror') },
  }
  const copy = readCopyOf(stores, deployment)
  const last = await readLastRun(copy)
  const close = () => platform.close()
  return { name: folder, source: storedSource(copy), since: last?.time ?? null, close }
}

/**
 * The copy that the server of a mirror gives to the institution of the lost home.
 * @throws AmpereError UPSTREAM_FAILED; NOT_FOUND when that is no mirror of this home
 */
export async function openCopyServer(
  given: string,
  home: { readonly deployment: DeploymentId; readonly origin: string; readonly registry: string },
  signer: Signer,
): Promise<CopySource> {
  const origin = originOf(given)
  const asking: Asking = {
    fetch: (request) => fetch(request),
    now: () => Date.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    signer,
    deadline: (ms) => AbortSignal.timeout(ms),
  }
  const copy = await asked(origin, () => askCopy(asking, origin, home.deployment))
  if (copy.origin !== home.origin || copy.registry !== home.registry)
    throw refuse('NOT_FOUND', `${origin} mirrors another home of that name, and not ${home.origin}`)
  const source = mirrorSource(asking, origin, home.deployment)
  return { name: origin, source, since: copy.time, close: async () => undefined }
}

async function asked<T>(origin: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (!isAmpereError(cause, 'UPSTREAM_FAILED', 'NOT_FOUND')) throw cause
    const next =
      'is its server running, does it mirror this home (ampere mirror status, there), and is this the institution of the home (--as)?'
    throw refuse('UPSTREAM_FAILED', `${origin} gives no copy of this home: ${cause.message}`, next, cause)
  }
}

function originOf(given: string): string {
  if (URL.canParse(given)) {
    const { origin, pathname, search } = new URL(given)
    if (pathname === '/' && search === '') return origin
  }
  throw usage(`${given.slice(0, 80)} is no origin, such as https://mirror.example`)
}
