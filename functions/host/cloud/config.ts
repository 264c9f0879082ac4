// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { logOriginOf } from '#core/api/log.ts'
import { count, deploymentId, digest, institutionId } from '#core/bytes/schema.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { parseVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { WatchedLog } from '#core/server/monitor/needs.ts'

/** A URL without account, query or fragment, in which something secret could be. */
export const OTLP_ENDPOINT = /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/
const ORIGIN = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/
const keys = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.transform((text: string) => parseVerifierKey(text)),
    ),
  ),
  v.minLength(1),
)
/** A policy in the format of c2sp.org/tlog-policy. */
export const policy = v.pipe(
  v.string(),
  v.transform((text: string) => parsePolicy(text)),
)
/** Under which a deployment is reached: `https://host`, without a path. */
export const originUrl = v.pipe(v.string(), v.regex(ORIGIN))
/** The collector of telemetry (OTLP over HTTP), and which part of requests and of what wakes a role is traced; none where it is null. */
export const telemetry = v.optional(
  v.nullable(
    v.strictObject({
      endpoint: v.pipe(v.string(), v.regex(OTLP_ENDPOINT)),
      traced: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1),
    }),
  ),
  null,
)

/** What a deployment in a cloud is, for all its roles alike: nothing in it is secret. */
const schema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    deployment: deploymentId,
    /** Under which clients reach it: `https://host`, without a path. */
    origin: originUrl,
    /** Id of the registry's first block. */
    registry: digest,
    backupDays: count,
    /** Verifier keys of its log and of its witness (c2sp.org/signed-note), which most roles do not hold. */
    logKeys: keys,
    witnessKeys: keys,
    /** Who witnesses its log, in the format of c2sp.org/tlog-policy. */
    policy: v.nullable(policy),
    telemetry,
    /** The registry was at home elsewhere when this was written: it is followed each minute, else looked at each hour. */
    follows: v.optional(v.boolean(), false),
    /** The institutions whose bridges run in the same account: whoever runs it may open what they may, so the home says so. */
    bridges: v.optional(v.array(institutionId), []),
    /** Logs of others that are monitored: a policy each, with the keys of one log and its URL. */
    watched: v.optional(v.array(policy), []),
    /** Logs of others that its witness cosigns: a policy each, with the keys of one log. */
    accepted: v.optional(v.array(policy), []),
    /** Homes that are mirrored here, each as the institution that it grants to hold; the policy has the keys of its log. */
    mirrored: v.optional(
      v.array(
        v.strictObject({
          deployment: deploymentId,
          origin: originUrl,
          registry: digest,
          institution: institutionId,
          policy,
        }),
      ),
      [],
    ),
  }),
  v.check(
    (home) => !home.policy || home.policy.logs.some(({ key }) => key.name === logOriginOf(home.origin)),
    'the policy has no line for the log of this home',
  ),
)

/** The configuration of a deployment, parsed. */
export type CloudConfig = v.InferOutput<typeof schema>

/** @throws AmpereError CONFIGURATION, naming the member that is wrong */
export function parseConfig(text: string): CloudConfig {
  return parseAs(schema, text)
}

/** @throws AmpereError CONFIGURATION, naming the member that is wrong */
export function parseAs<S extends v.GenericSchema>(shape: S, text: string): v.InferOutput<S> {
  try {
    return v.parse(shape, JSON.parse(text))
  } catch (cause) {
    throw new AmpereError(
      'CONFIGURATION',
      `the configuration of this deployment is wrong: ${reasonOf(cause)}`,
      { cause },
    )
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'it is not JSON'
  if (isAmpereError(cause)) return cause.message
  const [issue] = v.isValiError(cause) ? cause.issues : []
  return issue ? `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}` : 'it cannot be read'
}

/**
 * The configuration that lies beside the code, `ampere.json`, or where AMPERE_CONFIG names another file.
 * @throws AmpereError CONFIGURATION
 */
export function readBeside(beside: string, env: Readonly<Record<string, string | undefined>>): string {
  const file = env['AMPERE_CONFIG'] ?? new URL('ampere.json', beside)
  if (!existsSync(file))
    throw new AmpereError(
      'CONFIGURATION',
      'there is no ampere.json beside the code, and AMPERE_CONFIG names no other file',
    )
  return readFileSync(file, 'utf8')
}

/** The logs to be monitored. @throws AmpereError CONFIGURATION for a policy that does not have the keys of one log, with its URL */
export function watchedLogs({ watched }: CloudConfig): readonly WatchedLog[] {
  return watched.map((each) => {
    const origin = onlyLog(each)
    const url = each.logs.find((log) => log.url !== null)?.url ?? null
    if (origin === null || url === null)
      throw wrong('a monitored log needs a policy with the keys of one log, and its URL')
    return { origin, url, policy: each }
  })
}

/** A log that the witness of this deployment cosigns. */
export interface AcceptedLog {
  readonly origin: string
  readonly keys: readonly LogKey[]
}

/** The logs to be cosigned. @throws AmpereError CONFIGURATION for a policy that does not have the keys of one log, another's */
export function acceptedLogs({ accepted, origin: own }: CloudConfig): readonly AcceptedLog[] {
  return accepted.map((each) => {
    const origin = onlyLog(each)
    if (origin === null || origin === logOriginOf(own))
      throw wrong('a log that is cosigned needs a policy with the keys of one log, and not of its own')
    return { origin, keys: each.logs.map(({ key }) => key) }
  })
}

/** The log that a policy is of; null where it is of none, or of several. */
function onlyLog({ logs }: Policy): string | null {
  const [origin, ...others] = new Set(logs.map(({ key }) => key.name))
  return origin === undefined || others.length > 0 ? null : origin
}

function wrong(message: string): AmpereError {
  return new AmpereError('CONFIGURATION', message)
}
