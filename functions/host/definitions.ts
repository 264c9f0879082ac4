// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createKnowledge, type Knowledge, type KnowledgeTables } from '#core/consistency/knowledge.ts'
import type { Definitions } from '#core/record/fhir/validate.ts'
import type { SensitivityTable } from '#core/record/labels/label.ts'

const ROOT = new URL('../../', import.meta.url)

/** What validation needs of FHIR R4, from the file that ships with the software. */
export function loadDefinitions(): Definitions {
  return JSON.parse(
    gunzipSync(readFileSync(new URL('fhir-definitions/r4.json.gz', ROOT))).toString(),
  ) as Definitions
}

/** The code sets that sort resources into compartments. */
export function loadSensitivity(): SensitivityTable {
  return JSON.parse(readFileSync(new URL('terminology/sensitivity.json', ROOT), 'utf8')) as SensitivityTable
}

/** Analytes, drug classes and allergens for the consistency rules. */
export function loadKnowledge(): Knowledge {
  return createKnowledge(
    JSON.parse(readFileSync(new URL('terminology/knowledge.json', ROOT), 'utf8')) as KnowledgeTables,
  )
}
