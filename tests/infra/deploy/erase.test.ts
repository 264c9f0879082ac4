// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { storesTemplateOf } from '#infra/aws/template.ts'
import { unretained } from '#infra/deploy/aws/erase.ts'

it('a stack that is to be erased retains and protects nothing, and is the same otherwise', () => {
  const template = storesTemplateOf('test', {})
  const kept = JSON.stringify(template)
  expect(kept).toContain('"DeletionProtectionEnabled":true')
  const loose = JSON.stringify(unretained(template))
  expect(loose).not.toContain('"DeletionProtectionEnabled":true')
  expect(loose).not.toMatch(/Policy":"Retain"/)
  expect(
    kept
      .replaceAll('"DeletionProtectionEnabled":true', '"DeletionProtectionEnabled":false')
      .replaceAll('Policy":"Retain"', 'Policy":"Delete"'),
  ).toBe(loose)
})
