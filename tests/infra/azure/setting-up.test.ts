// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { HOME_ROLES } from '#functions/roles.ts'
import { azureTemplateOf, DEFAULTS } from '#infra/azure/template.ts'
import { deployed, outputsOf } from './arm.ts'

const PRINCIPAL = '00000000-0000-0000-0000-000000000001'
const template = (parameters: object = {}) => azureTemplateOf('test', { ...DEFAULTS, ...parameters })

describe('the template of a home on Azure, for whoever sets it up', () => {
  it('says where whoever sets it up reaches the tables and the vault, and each app', () => {
    const said = outputsOf(template())
    const { cosmosEndpoint, vaultUrl, blobEndpoint, database, origin } = said
    for (const one of [cosmosEndpoint, vaultUrl, blobEndpoint, origin]) expect(one?.value).toMatch(/^https:/)
    expect(database?.value).toBe('ampere')
    for (const { name } of HOME_ROLES) expect(said[`${name}App`]?.value).toContain(`ampere-test-${name}-`)
  })

  it('assigns rights of setting up to a person or to a pipeline, as it is told', () => {
    for (const setUpKind of ['User', 'ServicePrincipal']) {
      const { resources } = template({ setUpPrincipal: PRINCIPAL, setUpKind })
      const kinds = resources
        .filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments')
        .map((one) => one['properties'] as Readonly<Record<string, unknown>>)
        .filter(({ principalId }) => String(principalId).includes(PRINCIPAL))
        .map(({ principalType }) => principalType)
      expect(new Set(kinds)).toEqual(new Set([setUpKind]))
    }
  })

  it('names the assignments of another who sets up otherwise: Azure lets none change whose it is', () => {
    const namesFor = (setUpPrincipal: string) =>
      deployed(template({ setUpPrincipal }).resources)
        .filter(({ properties }) => JSON.stringify(properties ?? null).includes(setUpPrincipal))
        .map(({ name }) => name)
    const [one, other] = [namesFor(PRINCIPAL), namesFor(PRINCIPAL.replace(/1$/, '2'))]
    expect(one.length).toBeGreaterThan(5)
    expect(one.filter((name) => other.includes(name))).toEqual([])
  })
})
