// SPDX-License-Identifier: Apache-2.0
import {
  toJsonSchema,
  toJsonSchemaDefs,
  type ConversionConfig,
  type JsonSchema,
} from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { compactJws, problemAnswer } from '#core/api/answers.ts'
import { appendHead, packageSchema } from '#core/api/append.ts'
import { erasedStatement } from '#core/api/erased.ts'
import { headStatement } from '#core/api/head.ts'
import { signedRequest } from '#core/api/request.ts'
import { blockSchema, grantSchema } from '#core/block/block.ts'
import { keyRowSchema } from '#core/block/key-row.ts'
import * as bytes from '#core/bytes/schema.ts'
import { registryBlockSchema } from '#core/registry/block.ts'
import * as records from '#core/registry/records.ts'

/** The schemas that the document names once and refers to. */
const COMPONENTS: Record<string, v.GenericSchema> = {
  AppendHead: appendHead,
  Block: blockSchema,
  BlockId: bytes.blockId,
  ChainId: bytes.chainId,
  CompactJws: compactJws,
  CompartmentId: bytes.compartmentId,
  Count: bytes.count,
  DeploymentId: bytes.deploymentId,
  DeploymentRecord: records.deploymentSchema,
  Digest: bytes.digest,
  EntryId: bytes.entryId,
  EpochPackage: packageSchema,
  ErasedStatement: erasedStatement,
  Grant: grantSchema,
  HeadStatement: headStatement,
  InstanceId: bytes.instanceId,
  InstanceRecord: records.instanceSchema,
  InstitutionId: bytes.institutionId,
  InstitutionRecord: records.institutionSchema,
  KeyRecord: records.keySchema,
  KeyRow: keyRowSchema,
  Kid: bytes.kid,
  OpId: bytes.opId,
  Problem: problemAnswer,
  RegistryBlock: registryBlockSchema,
  RulesRecord: records.rulesSchema,
  SignedRequest: signedRequest,
  Timestamp: bytes.timestamp,
}

/**
 * What JSON Schema can say of checks that are code, by the message of the check. A check that is not here
 * stops the conversion: a description that leaves a rule out would look complete.
 */
const CHECKS: readonly (readonly [RegExp, JsonSchema])[] = [
  [/^not \d+ bytes in base64url$/, { pattern: '^[A-Za-z0-9_-]*$' }],
  [
    /^not RFC 3339 UTC with milliseconds$/,
    { pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' },
  ],
  [/^not sorted and distinct$/, { uniqueItems: true, description: 'Sorted by UTF-16 code units.' }],
  [/^not ascending$/, { description: 'In ascending order of height.' }],
]

/** The JSON Schema of a value as it travels. */
export function jsonSchemaOf(schema: v.GenericSchema): JsonSchema {
  return strip(toJsonSchema(schema, { ...CONFIG, definitions: COMPONENTS }))
}

/** The JSON Schema of the value that the text of a parameter stands for. */
export function parameterSchemaOf(schema: v.GenericSchema): JsonSchema {
  return strip(toJsonSchema(schema, { ...CONFIG, typeMode: 'output' }))
}

/** All named schemas, for `components.schemas`. */
export function componentSchemas(): Readonly<Record<string, JsonSchema>> {
  return toJsonSchemaDefs(COMPONENTS, CONFIG)
}

const CONFIG: ConversionConfig = {
  target: 'draft-2020-12',
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideAction: ({ valibotAction, jsonSchema }) => {
    // Transformations only brand: what travels is what is checked.
    if (valibotAction.type === 'transform') return jsonSchema
    if (valibotAction.type !== 'check') return null
    const message = String((valibotAction as { message?: unknown }).message)
    const known = CHECKS.find(([pattern]) => pattern.test(message))
    return known ? { ...jsonSchema, ...known[1] } : null
  },
}

function strip(converted: JsonSchema): JsonSchema {
  const { $schema: _, $defs: __, ...schema } = converted
  return schema
}
