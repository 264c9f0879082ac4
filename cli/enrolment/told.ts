// SPDX-License-Identifier: Apache-2.0
import type { Certificate } from '#core/client/enrol/certificate.ts'
import type { InstanceRecord } from '#core/registry/records.ts'
import { localTime } from '../terminal/words.ts'

/** What each capability lets an instance do, for somebody who is to grant it. */
const MEANS: Readonly<Record<InstanceRecord['capabilities'][number], string>> = {
  control: 'control records in the name of the institution: grant, revoke, rotate, and have entries erased',
  create: 'create records',
  identify: "vouch for who a patient's device belongs to",
  publish: 'publish what the institution publishes for all',
  'release-share': "release the institution's share of an emergency key",
}

/** What is granted with these capabilities, a line each. */
export function capabilityLines(capabilities: InstanceRecord['capabilities']): readonly string[] {
  if (capabilities.length === 0) return ['  - nothing beyond what records grant']
  return capabilities.map((name) => `  - ${MEANS[name]} (${name})`)
}

/** What a certificate says, a line each. */
export function certificateLines(
  { capabilities, expires }: InstanceRecord,
  { kid, height, receipt }: Certificate,
): readonly string[] {
  return [
    `  Key          ${kid}`,
    `  Registry     block ${height}${receipt === null ? ', not in the log yet' : ', with its receipt of the log'}`,
    `  Expires      ${expires === undefined ? 'never' : localTime(expires)}`,
    `  May          ${capabilities.join(', ') || 'nothing beyond what records grant'}`,
  ]
}
