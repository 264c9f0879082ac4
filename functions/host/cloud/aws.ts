// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { changedRows } from '#adapters/aws/rows/changes.ts'
import { openAws } from '#adapters/aws/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { parseConfig, readBeside } from './config.ts'
import { cloudLog, openHosted, parsePlatform, type HostConfig, type HostedRole } from './hosted.ts'
import { lambdaHandler, type HttpResult, type LambdaEvent } from './lambda.ts'

/** Which variable says what the parts of the deployment are called. */
export const NAMING_VARIABLE = 'AMPERE_AWS'

const names = v.record(v.string(), v.string())
/** The adapter checks the names themselves. */
const schema = v.strictObject({
  prefix: v.string(),
  buckets: names,
  keys: v.strictObject({
    kms: names,
    softwareKeys: v.optional(v.strictObject({ table: v.string(), wrappingKey: v.string() })),
  }),
})

/** A Lambda handler for a role of a home. */
export function onLambda(role: HostedRole): Handler {
  return onLambdaAs(parseConfig, role)
}

type Handler = (event: LambdaEvent) => Promise<HttpResult | null>

/**
 * A Lambda handler for a role, which is told what `parse` reads. What the deployment is and its description lie beside its code; the names of tables, buckets and keys are
 * in AMPERE_AWS, and the region is where AWS says that the function runs. No variable holds a secret but those of AWS itself.
 */
export function onLambdaAs<C extends HostConfig>(parse: (text: string) => C, role: HostedRole<C>): Handler {
  let config: C | null = null
  const configured = (): C => (config ??= parse(readBeside(import.meta.url, process.env)))
  const open = async () => openHosted(role, openPlatform(), configured(), import.meta.url)
  return lambdaHandler(open, () => configured().origin, { log: cloudLog, changedRows })
}

/** The platform of this function. @throws AmpereError CONFIGURATION */
function openPlatform(): Platform {
  const { prefix, buckets, keys } = parsePlatform(schema, NAMING_VARIABLE)
  const { kms, softwareKeys } = keys
  const naming = { prefix, buckets, keys: { kms, ...(softwareKeys ? { softwareKeys } : {}) } }
  return openAws({ region: process.env['AWS_REGION'] ?? '', naming, fetch: fetchByApi(process.env) })
}
