// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { openAws } from '#adapters/aws/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { readConfig, type CloudConfig } from './config.ts'
import { cloudLog, openHosted, parsePlatform, type HostedRole } from './hosted.ts'
import { lambdaHandler, type HttpResult, type LambdaEvent } from './lambda.ts'

const names = v.record(v.string(), v.string())
/** What the member `platform` of a configuration says of a deployment on AWS; the adapter checks the names themselves. */
const schema = v.strictObject({
  provider: v.literal('aws'),
  region: v.string(),
  naming: v.strictObject({
    prefix: v.string(),
    buckets: names,
    keys: v.strictObject({
      kms: names,
      softwareKeys: v.optional(v.strictObject({ table: v.string(), wrappingKey: v.string() })),
    }),
  }),
  /** Of an emulator. */
  endpoint: v.optional(v.string()),
})

/**
 * A Lambda handler for a role. Its configuration and its description lie beside its code; nothing is in environment variables but
 * what AWS puts there.
 */
export function onLambda(role: HostedRole): (event: LambdaEvent) => Promise<HttpResult | null> {
  let config: CloudConfig | null = null
  const configured = (): CloudConfig => (config ??= readConfig(import.meta.url, process.env))
  const open = async () => openHosted(role, openPlatform(configured()), configured(), import.meta.url)
  return lambdaHandler(open, () => configured().origin, { log: cloudLog })
}

/** The platform of a configuration. @throws AmpereError CONFIGURATION */
export function openPlatform(config: CloudConfig): Platform {
  const { region, naming, endpoint } = parsePlatform(schema, config)
  const { kms, softwareKeys } = naming.keys
  return openAws({
    region,
    naming: { ...naming, keys: { kms, ...(softwareKeys ? { softwareKeys } : {}) } },
    ...(endpoint === undefined ? {} : { endpoint }),
  })
}
