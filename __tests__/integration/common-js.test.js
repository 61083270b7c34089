import { runChild } from '../helpers/child-run.js';

it('require() of the package gives the same classes as import, without a warning', async () => {
  const child = await runChild(new URL('./children/common-js.cjs', import.meta.url), {});
  expect(child).toMatchObject({
    code: 0,
    stderr: '',
    data: [{ sameStore: true, sameError: true, sameBackend: true, value: { n: 1 } }],
  });
});
