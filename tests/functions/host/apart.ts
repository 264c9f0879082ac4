// SPDX-License-Identifier: Apache-2.0
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, type Policy } from '#core/log/policy/policy.ts'
import { logOriginOf, witnessNameOf } from '#core/api/log.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { logKeys } from '#core/server/sequence/tree.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { answering as auditor } from '#functions/auditor/answering.ts'
import { openAuditing } from '#functions/auditor/alone.ts'
import { answering as discovery } from '#functions/discovery/answering.ts'
import { openErasing } from '#functions/eraser/alone.ts'
import { openAlone, type Alone } from '#functions/host/cloud/alone.ts'
import { parseConfig, type CloudConfig } from '#functions/host/cloud/config.ts'
import { openFollowing } from '#functions/follower/alone.ts'
import type { Hosting, RoleApp } from '#functions/host/app.ts'
import type { Wake, WokenBy } from '#functions/host/cloud/hosted.ts'
import { answering as keeper } from '#functions/keeper/answering.ts'
import { answering as lookup } from '#functions/lookup/answering.ts'
import { openMirroring } from '#functions/mirror/alone.ts'
import { openMonitoring } from '#functions/monitor/alone.ts'
import { answering as reader } from '#functions/reader/answering.ts'
import { answering as registrar } from '#functions/registrar/answering.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { openSequencing } from '#functions/sequencer/alone.ts'
import { role as sequencer } from '#functions/sequencer/role.ts'
import { openSweeping } from '#functions/sweeper/alone.ts'
import { openWitnessing } from '#functions/witness/alone.ts'
import { role as witnessRole } from '#functions/witness/role.ts'
import { openWorking } from '#functions/worker/alone.ts'
import { answering as worker } from '#functions/worker/answering.ts'
import { answering as writer } from '#functions/writer/answering.ts'

/** A home each of whose roles is opened by itself, as in processes of their own, on the platforms that `of` gives them. */
export interface Apart {
  readonly config: CloudConfig
  /** What a gateway does: the role that has the route answers. */
  readonly fetch: Fetch
  readonly sequence: (by?: WokenBy) => Promise<void>
  readonly erase: Wake
  readonly sweep: () => Promise<void>
  readonly audit: () => Promise<void>
  readonly monitor: () => Promise<void>
  readonly mirror: () => Promise<void>
  readonly follow: () => Promise<void>
  readonly work: () => Promise<void>
}

/** What a home in a cloud would be told of itself. */
export async function configOf(
  platform: Platform,
  home: Home,
  policy: Policy | null = null,
): Promise<CloudConfig> {
  const log = logKeys(await select(platform, sequencer.needs), logOriginOf(home.origin))
  const own = witnessKeys(await select(platform, witnessRole.needs), witnessNameOf(home.origin))
  const config = {
    v: 1,
    deployment: home.deployment,
    origin: home.origin,
    registry: home.registry.pinned,
    backupDays: 35,
    logKeys: log.map(formatVerifierKey),
    witnessKeys: own.map(formatVerifierKey),
    policy: policy && formatPolicy(policy),
  }
  return parseConfig(JSON.stringify(config))
}

/** Opens every role by itself. */
export async function openApart(
  of: (role: string) => Platform,
  config: CloudConfig,
  hosting: Hosting,
): Promise<Apart> {
  const alone = (role: string): Alone => ({ platform: of(role), config, hosting, document: () => '{}' })
  const apps: Readonly<Record<string, RoleApp>> = {
    discovery: await openAlone(alone('discovery'), discovery),
    writer: await openAlone(alone('writer'), writer),
    reader: await openAlone(alone('reader'), reader),
    registrar: await openAlone(alone('registrar'), registrar),
    auditor: await openAlone(alone('auditor'), auditor),
    witness: await openWitnessing(alone('witness')),
    lookup: await openAlone(alone('lookup'), lookup),
    keeper: await openAlone(alone('keeper'), keeper),
    worker: await openAlone(alone('worker'), worker),
  }
  const sequence = await openSequencing(alone('sequencer'))
  return {
    config,
    fetch: async (request) => appFor(apps, request).fetch(request),
    sequence: (by = 'schedule') => sequence(by),
    erase: await openErasing(alone('eraser')),
    sweep: await openSweeping(alone('sweeper')),
    audit: await openAuditing(alone('auditor')),
    monitor: await openMonitoring(alone('monitor')),
    mirror: await openMirroring(alone('mirror')),
    follow: await openFollowing(alone('follower')),
    work: await openWorking(alone('worker')),
  }
}

function appFor(apps: Readonly<Record<string, RoleApp>>, request: Request): RoleApp {
  const app = apps[roleFor(request)]
  if (!app) throw new RangeError('no role answers')
  return app
}

/** Which role a gateway asks: the one that has the route, and for what is none, the one that says so. */
export function roleFor(request: Request): string {
  const path = new URL(request.url).pathname
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const found = Object.entries(HOME_OPERATIONS).find(([, operations]) =>
    operations.some((operation) => operation.method === method && matches(operation.pattern, path)),
  )
  return found?.[0] ?? 'discovery'
}

/** Hono's patterns as far as the operations use them: parameters with or without an expression of their own. */
function matches(pattern: string, path: string): boolean {
  const expression = pattern.replaceAll(
    /:[A-Za-z]+(?:\{((?:[^{}]|\{[^{}]*\})*)\})?|[.]/g,
    (found, own: string | undefined) => (found === '.' ? '\\.' : `(?:${own ?? '[^/]+'})`),
  )
  return new RegExp(`^${expression}$`).test(path)
}
