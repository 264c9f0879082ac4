// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { AmpereError } from '#core/errors.ts'
import { once } from '#core/order/once.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { RowName } from '#core/ports/table.ts'
import { problemResponse, unexpected } from '../problem.ts'
import { jsonLog, type Log } from '../telemetry.ts'
import type { Hosting } from '../app.ts'
import type { CloudConfig } from './config.ts'
import { openMeasuring } from './measuring.ts'

/** What a host needs of what a deployment is told, whatever it deploys. */
export type HostConfig = Pick<CloudConfig, 'origin' | 'telemetry'>

/** What a process of one role has: the platform, what the deployment is, and what its host gives. */
export interface Hosted<C extends HostConfig> {
  readonly platform: Platform
  readonly config: C
  readonly hosting: Hosting
  /** The OpenAPI document of the whole home, as text. */
  readonly document: () => string
  /** URL of the code, beside which lies what ships with it. */
  readonly beside: string
}

/** How a role is opened in a process of its own. */
export interface HostedRole<C extends HostConfig = CloudConfig> {
  /** What answers its routes. */
  readonly answers?: (
    hosted: Hosted<C>,
  ) => Promise<{ readonly fetch: (request: Request) => Response | Promise<Response> }>
  /** What it does when it is woken. */
  readonly wakes?: (hosted: Hosted<C>) => Promise<Wake>
  /** As telemetry calls what it belongs to; `ampere-home` where it is left out. */
  readonly service?: string
}

/** What wakes a role: its schedule, or rows that are new or changed in a table. */
export type WokenBy = 'schedule' | readonly RowName[]
/** What a role does when it is woken; it rejects with what failed. */
export type Wake = (by: WokenBy) => Promise<void>

/** What an open role does: answers requests, or acts whenever it is woken, or both. */
export interface OpenRole {
  readonly answer?: (request: Request) => Response | Promise<Response>
  readonly wake?: Wake
  /** To be awaited at the end of each call, answered or failed: sends what was measured. Never rejects. Absent where nothing is measured. */
  readonly settle?: () => Promise<void>
}

/**
 * Bytes of one request and of one answer. Lambda passes 6 MB, in base64 and with what surrounds it (AWS: Lambda quotas, invocation
 * payload); Azure passes more, but a client that moves a home need not learn it anew.
 */
const MAX_BODY_BYTES = 4 * 1024 * 1024

const now = () => Date.now()
/** Lines on standard output, which both clouds keep. */
export const cloudLog = jsonLog((line) => process.stdout.write(`${line}\n`), now)

/**
 * Opens a role on its platform.
 * @param beside URL of the code, beside which lies the description of the home
 */
export async function openHosted<C extends HostConfig>(
  { answers, wakes, service }: HostedRole<C>,
  platform: Platform,
  config: C,
  beside: string,
): Promise<OpenRole> {
  const document = () => readFileSync(new URL('openapi.json', beside), 'utf8')
  const bodies = { maxRequestBytes: MAX_BODY_BYTES, maxAnswerBytes: MAX_BODY_BYTES }
  const measuring = await openMeasuring(config, cloudLog, service)
  const hosting = {
    now,
    random: platform.random,
    log: cloudLog,
    ...bodies,
    ...(measuring ? { telemetry: measuring.telemetry } : {}),
  }
  const measured = measuring?.around(platform) ?? platform
  const hosted: Hosted<C> = { platform: measured, config, hosting, document, beside }
  const app = await answers?.(hosted)
  const wake = await wakes?.(hosted)
  return {
    ...(app ? { answer: (request) => app.fetch(request) } : {}),
    ...(wake ? { wake } : {}),
    ...(measuring ? { settle: measuring.flush } : {}),
  }
}

/**
 * Opens once for all who ask, the first time at once: a platform gives a process more of its processor while it starts. What
 * failed is opened anew for who asks next.
 */
export function openAtOnce<T>(open: () => Promise<T>): () => Promise<T> {
  const opened = once(open)
  void opened().catch(() => {})
  return opened
}

/**
 * What an environment variable says of a role's platform: names that only the template of a deployment knows, and no secret.
 * @throws AmpereError CONFIGURATION, naming the variable and the member
 */
export function parsePlatform<S extends v.GenericSchema>(schema: S, variable: string): v.InferOutput<S> {
  const text = process.env[variable]
  if (text === undefined) throw wrong(`the variable ${variable} is missing`)
  const parsed = v.safeParse(schema, parseJson(text, variable))
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw wrong(`${variable}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
}

function parseJson(text: string, variable: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw wrong(`${variable}: it is not JSON`, cause)
  }
}

function wrong(message: string, cause?: unknown): AmpereError {
  return new AmpereError('CONFIGURATION', `the configuration of this deployment is wrong: ${message}`, {
    cause,
  })
}

/** Has a role act. @throws AmpereError CONFIGURATION where it is none that is woken */
export async function wakeRole({ wake, settle }: OpenRole, by: WokenBy): Promise<void> {
  if (!wake)
    throw new AmpereError('CONFIGURATION', 'this role is not one that is woken: it only answers requests')
  try {
    await wake(by)
  } finally {
    await settle?.()
  }
}

/** Has a role answer a request, which may be one that cannot be read; what fails is said in the log, and answered as a problem. */
export async function askRole(
  opened: () => Promise<OpenRole>,
  request: () => Request,
  log: Log,
): Promise<Response> {
  try {
    const { answer, settle } = await opened()
    if (!answer) throw new AmpereError('NOT_FOUND', 'no such route')
    try {
      return await answer(request())
    } finally {
      await settle?.()
    }
  } catch (error) {
    const known = error instanceof AmpereError ? error : unexpected(error)
    log({ event: 'request-failed', code: known.code })
    return problemResponse(known, 'r_none')
  }
}
