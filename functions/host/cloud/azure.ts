// SPDX-License-Identifier: Apache-2.0
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions'
import * as v from 'valibot'
import { changedRows } from '#adapters/azure/rows/changes.ts'
import { managedIdentity } from '#adapters/azure/clients/managed-identity.ts'
import { openAzure } from '#adapters/azure/open.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Platform, TableName } from '#core/ports/needs.ts'
import { parseConfig, readBeside, type CloudConfig } from './config.ts'
import {
  askRole,
  cloudLog,
  openHosted,
  openAtOnce,
  parsePlatform,
  wakeRole,
  type HostConfig,
  type HostedRole,
  type WokenBy,
} from './hosted.ts'

/** Which variable says what the parts of the deployment are called. */
const NAMING_VARIABLE = 'AMPERE_AZURE'

const names = v.record(v.string(), v.string())
/** The adapter checks the names themselves. */
const schema = v.strictObject({
  naming: v.strictObject({
    cosmosEndpoint: v.string(),
    database: v.string(),
    containerPrefix: v.optional(v.string(), ''),
    blobEndpoint: v.string(),
    blobPrefix: v.optional(v.string(), ''),
    vaultUrl: v.string(),
    keys: v.strictObject({
      vault: names,
      software: v.strictObject({ container: v.string(), wrappedBy: names }),
    }),
  }),
  /** Client id of the role's user-assigned identity. */
  clientId: v.string(),
  /** Keys that are no secrets, those of emulators: how else the stores are reached is by identity alone. */
  emulator: v.optional(
    v.strictObject({ cosmosKey: v.string(), blobAccount: v.string(), blobKey: v.string() }),
  ),
})

/** What wakes a role, beside requests. */
export interface Waking<C extends HostConfig = HostConfig> {
  /** The table whose change feed wakes it. */
  readonly table?: TableName
  /** How long the host waits between two looks at the feed, in milliseconds: each look costs request units. */
  readonly pollMs?: number
  /** When it is woken at the latest: six fields, seconds first (NCRONTAB). */
  readonly schedule: string
  /** The schedule of a deployment in which it has nothing to do: each call costs a second of an instance at least. */
  readonly rests?: { readonly schedule: string; readonly while: (config: C) => boolean }
}

/** Between two looks at a change feed by default, in milliseconds: by so much a receipt comes later. */
const POLL_MS = 1000
/** Every method that an operation may have; the app answers others with what it allows. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const

/** Registers a role of a home. */
export function onAzure(name: string, role: HostedRole, waking: Waking<CloudConfig> | null = null): void {
  onAzureAs(parseConfig, name, role, waking)
}

/**
 * Registers a role, which is told what `parse` reads, with the host of Azure Functions (programming model v4): its routes under every path, its change feed and its
 * schedule. What the home is and its description lie beside its code; AMPERE_AZURE names its stores and its identity, and no secret.
 */
export function onAzureAs<C extends HostConfig>(
  parse: (text: string) => C,
  name: string,
  role: HostedRole<C>,
  waking: Waking<C> | null = null,
): void {
  let config: C | null = null
  const configured = (): C => (config ??= parse(readBeside(import.meta.url, process.env)))
  const opened = openAtOnce(async () => openHosted(role, openPlatform(), configured(), import.meta.url))
  const wake = async (by: WokenBy) => wakeRole(await opened(), by)
  if (role.answers) {
    app.setup({ enableHttpStream: true })
    app.http(name, {
      methods: [...METHODS],
      authLevel: 'anonymous',
      route: '{*path}',
      handler: async (request) =>
        resultOf(await askRole(opened, () => requestOf(request, configured().origin), cloudLog)),
    })
  }
  if (!waking) return
  app.timer(`${name}-schedule`, { schedule: scheduleOf(waking, configured), handler: () => wake('schedule') })
  if (waking.table === undefined) return
  app.cosmosDB(`${name}-changes`, {
    connection: 'COSMOS',
    databaseName: '%AMPERE_DATABASE%',
    // The whole name: a prefix may be empty, and the host takes an empty setting for a missing one.
    containerName: '%AMPERE_CHANGES%',
    leaseContainerName: 'leases',
    leaseContainerPrefix: name,
    createLeaseContainerIfNotExists: false,
    feedPollDelay: waking.pollMs ?? POLL_MS,
    // What cannot be read is looked for everywhere.
    handler: (items: unknown) => wake(changedRows(items) ?? 'schedule'),
  })
}

/** What it does changes with the next deployment, which brings another configuration. One that is wrong is said when it is woken. */
function scheduleOf<C extends HostConfig>({ schedule, rests }: Waking<C>, configured: () => C): string {
  try {
    return rests?.while(configured()) ? rests.schedule : schedule
  } catch (error) {
    if (isAmpereError(error)) return schedule
    throw error
  }
}

/** The request as its client made it: under the origin of the home, whatever host it came through. */
export function requestOf(request: HttpRequest, origin: string): Request {
  const { pathname, search } = new URL(request.url)
  const hasBody = request.body !== null && request.method !== 'GET' && request.method !== 'HEAD'
  return new Request(`${origin}${pathname}${search}`, {
    method: request.method,
    headers: [...request.headers.entries()],
    ...(hasBody ? { body: request.body as ReadableStream, duplex: 'half' } : {}),
  })
}

/** The answer, its body as a stream: the host sends it on as it comes. */
export function resultOf(response: Response): HttpResponseInit {
  const { status, headers, body } = response
  return {
    status,
    headers: Object.fromEntries(headers),
    ...(body === null ? {} : { body: body as NonNullable<HttpResponseInit['body']> }),
  }
}

/** The platform of this function. @throws AmpereError CONFIGURATION */
function openPlatform(): Platform {
  const { naming, clientId, emulator } = parsePlatform(schema, NAMING_VARIABLE)
  const endpoint = { url: process.env['IDENTITY_ENDPOINT'], header: process.env['IDENTITY_HEADER'] }
  const ports = { fetch: async (url: URL, init: RequestInit) => fetch(url, init), now: () => Date.now() }
  return openAzure({
    naming,
    credential: managedIdentity(endpoint, clientId, ports),
    ...(emulator ? { emulator } : {}),
  })
}
