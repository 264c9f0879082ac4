// SPDX-License-Identifier: Apache-2.0
// Writes what both clouds' templates are by default into a folder, for a scanner.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULTS } from '#infra/aws/settings.ts'
import { storesTemplateOf, templateOf } from '#infra/aws/template.ts'
import { azureTemplateOf, DEFAULTS as AZURE_DEFAULTS } from '#infra/azure/template.ts'

const [folder = ''] = process.argv.slice(2)
const templates = {
  'aws-stores': storesTemplateOf('prod', DEFAULTS),
  // What the framework adds, the functions themselves, is not in it.
  'aws-runs': { AWSTemplateFormatVersion: '2010-09-09', ...templateOf('prod', DEFAULTS).resources },
  azure: azureTemplateOf('prod', AZURE_DEFAULTS),
}
mkdirSync(folder, { recursive: true })
for (const [name, template] of Object.entries(templates))
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(template, null, 2)}\n`)
