// SPDX-License-Identifier: Apache-2.0
import type { AzureNames } from '#infra/permissions/azure/roles.ts'
import type { Stack } from './stack.ts'

/** The names of a test's stack, as those of a template. */
export function namesOf({ naming }: Stack): AzureNames {
  const { database, blobPrefix = '', keys } = naming
  return {
    database,
    container: (name) => name,
    blobContainer: (name) => `${blobPrefix}${name}`,
    key: (name) => keys.vault[name] ?? '',
    wrappingKey: (name) => keys.software.wrappedBy[name] ?? '',
  }
}
