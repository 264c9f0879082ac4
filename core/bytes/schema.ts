// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { AmpereError, type ErrorCode } from '../errors.ts'
import { isBase64url } from './encoding.ts'
import type {
  BlockId,
  ChainId,
  CompartmentId,
  DeploymentId,
  Digest,
  EntryId,
  InstanceId,
  InstitutionId,
  Kid,
  OpId,
} from './ids.ts'
import { timestampMs, type Timestamp } from './timestamp.ts'

const bytes32 = v.pipe(v.string(), v.length(43), v.check(isBase64url, 'not 32 bytes in base64url'))
const bytes16 = v.pipe(v.string(), v.length(22), v.check(isBase64url, 'not 16 bytes in base64url'))
const name = v.pipe(v.string(), v.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/))
const brand = <T extends string, S extends v.GenericSchema<string, string>>(schema: S) =>
  v.pipe(
    schema,
    v.transform((text) => text as T),
  )

/** Schemas of the identifiers in `ids.ts`, for closed wire formats. */
export const digest = brand<Digest, typeof bytes32>(bytes32)
export const blockId = brand<BlockId, typeof bytes32>(bytes32)
export const chainId = brand<ChainId, typeof bytes32>(bytes32)
export const kid = brand<Kid, typeof bytes32>(bytes32)
export const entryId = brand<EntryId, typeof bytes16>(bytes16)
export const opId = brand<OpId, typeof bytes16>(bytes16)
export const compartmentId = brand<CompartmentId, typeof bytes16>(bytes16)
export const institutionId = brand<InstitutionId, typeof name>(name)
export const instanceId = brand<InstanceId, typeof name>(name)
export const deploymentId = brand<DeploymentId, typeof name>(name)
/** Integer 0..2^53-1. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const timestamp = v.pipe(
  v.string(),
  v.check(isTimestamp, 'not RFC 3339 UTC with milliseconds'),
  v.transform((text) => text as Timestamp),
)

/** `length` bytes in strict base64url. */
export function bytesOf(length: number) {
  return v.pipe(
    v.string(),
    v.length(Math.ceil((length * 4) / 3)),
    v.check(isBase64url, `not ${length} bytes in base64url`),
  )
}

/**
 * Parses with a closed schema; the error names the path and never the value, nor a member that is not ours.
 * @throws AmpereError `code`
 */
export function parseWith<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  code: ErrorCode,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw new AmpereError(code, `${what}: ${wrongWith(result.issues[0])}`)
}

function wrongWith(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map((item) => String(item.key)) ?? []
  // A closed schema expects `never` of members that it does not have: their names came with the input.
  if (issue.expected === 'never') {
    const where = path.slice(0, -1).join('.')
    return where === '' ? 'an unknown member' : `an unknown member in ${where}`
  }
  return path.length === 0 ? 'not of the expected form' : `bad member ${path.join('.')}`
}

function isTimestamp(text: string): boolean {
  try {
    timestampMs(text)
    return true
  } catch {
    return false
  }
}
