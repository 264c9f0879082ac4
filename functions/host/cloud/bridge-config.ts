// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { logOriginOf } from '#core/api/log.ts'
import { fromBase64url, isBase64url } from '#core/bytes/encoding.ts'
import { count, deploymentId, digest, institutionId } from '#core/bytes/schema.ts'
import { originUrl, parseAs, policy, telemetry } from './config.ts'

/** A seed as a key service wraps it: some hundred bytes. */
const wrapped = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.minLength(1),
  v.check(isBase64url, 'not base64url'),
  v.transform((text: string) => fromBase64url(text)),
)

/** What an institution's bridge in a cloud is, for its roles alike: what is secret in it is wrapped. */
const schema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    /** Under which its clients reach it; FHIR is below `/fhir`. */
    origin: originUrl,
    telemetry,
    bridge: v.strictObject({
      institution: institutionId,
      /** The home that it uses; the policy has the keys of that home's log. */
      home: v.strictObject({ deployment: deploymentId, origin: originUrl, registry: digest, policy }),
      /** The institution's sealing seed, and the secret of its table: only the deployment's key `sealing` unwraps them. */
      seeds: v.strictObject({ sealing: wrapped, index: wrapped }),
      /** For how long backups of its table are kept. */
      backupDays: count,
    }),
  }),
  v.check(
    ({ bridge: { home } }) => home.policy.logs.some(({ key }) => key.name === logOriginOf(home.origin)),
    'the policy has no line for the log of the home',
  ),
)

/** The configuration of a bridge, parsed. */
export type BridgeConfig = v.InferOutput<typeof schema>

/** @throws AmpereError CONFIGURATION, naming the member that is wrong */
export function parseBridgeConfig(text: string): BridgeConfig {
  return parseAs(schema, text)
}
