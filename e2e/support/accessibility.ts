import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { artifact } from './repo';

const VIEWS = [
  ['wide', 1_200, 'light'],
  ['wide-dark', 1_200, 'dark'],
  ['narrow', 360, 'light'],
  ['narrow-dark', 360, 'dark'],
] as const;

/**
 * What is wrong with a page in four views, wide and narrow, light and dark: what axe finds, controls whose border is
 * hard to see, and what is wider than the page. Writes a screenshot of each view under test-artifacts.
 * @param name names the screenshots
 * @returns one line for each finding, with the view that it is in
 */
export async function faultsToTheEye(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  await page.evaluate(axe.source);
  for (const [view, width, colorScheme] of VIEWS) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: artifact(`${name}-${view}.png`), fullPage: true });
    const found = [
      ...(await page.evaluate(findingsOfAxe)),
      ...(await page.evaluate(faintBorders)),
      ...(await page.evaluate(overflow)),
    ];
    faults.push(...found.map((finding) => `${view}: ${finding}`));
  }
  return faults;
}

/** All rules of axe, those of good practice included. Next.js draws its tools into the page in development. */
async function findingsOfAxe(): Promise<string[]> {
  const { axe: inPage } = window as unknown as { axe: typeof axe };
  const { violations } = await inPage.run({ exclude: ['nextjs-portal'] });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html }) => `${id} (${help}): ${html}`),
  );
}

/**
 * Borders of controls with less than 3:1 against what is inside or outside of them (WCAG 2.2, 1.4.11), which axe
 * does not look at. Colours are read as `rgb(r, g, b)`, as Chromium computes all that are opaque.
 */
function faintBorders(): string[] {
  const CLEAR = 'rgba(0, 0, 0, 0)';
  const luminance = (color: string): number => {
    const parts = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    const [red = 0, green = 0, blue = 0] = parts;
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: string, other: string): number => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const background = (element: Element | null): string => {
    if (!element) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return backgroundColor === CLEAR ? background(element.parentElement) : backgroundColor;
  };
  // A checkbox is drawn by the browser; what is disabled need not be seen.
  const kinds = 'input:not([type=checkbox]), select, textarea, button:enabled';
  const controls = [...document.querySelectorAll(`:is(main, [role=main]) :is(${kinds})`)];
  if (controls.length === 0) return ['no control to look at'];
  return controls.flatMap((control) => {
    const { borderTopColor } = getComputedStyle(control);
    const sides = [background(control), background(control.parentElement)];
    // A border may be that of a filled button: then the fill is what is seen.
    const seen = sides[0] === borderTopColor ? sides.slice(1) : sides;
    const least = Math.min(...seen.map((side) => contrast(borderTopColor, side)));
    return least >= 3 ? [] : [`border ${least.toFixed(2)}:1: ${control.outerHTML}`];
  });
}

function overflow(): string[] {
  const pixels = document.documentElement.scrollWidth - window.innerWidth;
  return pixels > 0 ? [`${pixels} px wider than the page`] : [];
}
