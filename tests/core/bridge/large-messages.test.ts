// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { groupByPatient } from '#core/bridge/file/group-patients.ts'
import type { Intake } from '#core/record/fhir/intake.ts'
import type { IntakeItem } from '#core/record/fhir/model.ts'
import { indexReferences } from '#core/record/fhir/references.ts'
import { validator } from '#tests/bridge-world.ts'

const item = (position: number, resourceType: string, more: object = {}) =>
  ({
    position,
    resource: { resourceType, ...more },
    draft: { header: { id: `i${position}` } },
    fullUrl: null,
  }) as unknown as IntakeItem

it('a message of many patients and many practitioners is sorted in time that grows with its length', () => {
  const count = 20_000
  const patients = Array.from({ length: count }, (_, i) =>
    item(i, 'Patient', { generalPractitioner: [{ reference: `Practitioner/i${count + i}` }] }),
  )
  const others = Array.from({ length: count }, (_, i) => item(count + i, 'Practitioner'))
  const items = [...patients, ...others]
  const intake = { bundleType: null, items, references: indexReferences(items) } as unknown as Intake
  const startedMs = performance.now()
  const { groups } = groupByPatient(intake, validator.patientTypes)
  expect(groups).toHaveLength(count)
  expect(groups[5]?.items.map(({ position }) => position)).toEqual([5, count + 5])
  expect(performance.now() - startedMs).toBeLessThan(3000)
})
