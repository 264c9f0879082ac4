// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createKnowledge, type Knowledge, type KnowledgeTables } from '#core/consistency/knowledge.ts'
import type { Definitions } from '#core/record/fhir/validate.ts'
import type { SensitivityTable } from '#core/record/labels/label.ts'

/** Folder with what ships with the software: here the repository's, beside a bundle its own. */
const ROOT = new URL('../../', import.meta.url)

/** What a bridge reads beside its code; a bundle of it has copies. */
export const DATA_FILES = {
  definitions: 'fhir-definitions/r4.json.gz',
  sensitivity: 'terminology/sensitivity.json',
  knowledge: 'terminology/knowledge.json',
} as const

/** What validation needs of FHIR R4, from the file that ships with the software. */
export function loadDefinitions(root = ROOT): Definitions {
  return JSON.parse(gunzipSync(readFileSync(new URL(DATA_FILES.definitions, root))).toString()) as Definitions
}

/** The code sets that sort resources into compartments. */
export function loadSensitivity(root = ROOT): SensitivityTable {
  return JSON.parse(readFileSync(new URL(DATA_FILES.sensitivity, root), 'utf8')) as SensitivityTable
}

/** Analytes, drug classes and allergens for the consistency rules. */
export function loadKnowledge(root = ROOT): Knowledge {
  return createKnowledge(
    JSON.parse(readFileSync(new URL(DATA_FILES.knowledge, root), 'utf8')) as KnowledgeTables,
  )
}
