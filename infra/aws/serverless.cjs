// What serverless.yml includes: osls loads CommonJS, and the template is made by modules in TypeScript (Node 24).
const made = async ({ resolveVariable }) => {
  const { PARAMETERS, templateOf } = await import('./template.ts')
  const parameters = {}
  for (const name of PARAMETERS) parameters[name] = await resolveVariable(`param:${name}`)
  return templateOf(await resolveVariable('sls:stage'), parameters)
}

module.exports = {
  functions: async (variables) => (await made(variables)).functions,
  resources: async (variables) => (await made(variables)).resources,
}
