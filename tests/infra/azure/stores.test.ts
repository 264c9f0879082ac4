// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { azureTemplateOf, DEFAULTS } from '#infra/azure/template.ts'

describe('the stores of a home on Azure', () => {
  it('lets what was uploaded and not appended go after two days, and nothing else', () => {
    const { resources } = azureTemplateOf('test', DEFAULTS)
    const expiring = resources.flatMap(({ type, properties }) =>
      type === 'Microsoft.Storage/storageAccounts/managementPolicies' ? [properties] : [],
    )
    expect(expiring).toEqual([
      {
        policy: {
          rules: [
            {
              name: 'uploads-expired',
              enabled: true,
              type: 'Lifecycle',
              definition: {
                filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['uploads/'] },
                actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 2 } } },
              },
            },
          ],
        },
      },
    ])
  })
})
