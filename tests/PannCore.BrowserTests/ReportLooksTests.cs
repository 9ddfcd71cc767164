using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Playwright;
using Xunit;

namespace PannCore.BrowserTests;

/// <summary>What can be seen of the report: colours, contrast, a phone, paper.</summary>
public sealed class ReportLooksTests(Chromium chromium) : IClassFixture<Chromium>
{
    // WCAG 2.2, contrast ratio (L1 + 0.05) / (L2 + 0.05) of relative luminances, for every element that holds text of its own. Behind it is the nearest ancestor that is painted;
    // texts of drawings are filled, and have the page behind them.
    private const string Contrasts = """
        () => {
          const luminance = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const parse = s => s.match(/[0-9.]+/g).map(Number);
          const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0.99) return c; } return [255, 255, 255]; };
          const found = [];
          for (const e of document.querySelectorAll('body *')) {
            if (!Array.from(e.childNodes).some(n => n.nodeType === 3 && n.textContent.trim() !== '')) continue;
            if (['SCRIPT', 'STYLE', 'title', 'desc'].includes(e.tagName) || !e.checkVisibility()) continue;
            const style = getComputedStyle(e), ink = parse(e.closest('svg') ? style.fill : style.color), paper = behind(e);
            const [a, b] = [luminance(ink), luminance(paper)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
            found.push({ ratio, name: `${e.tagName}.${e.getAttribute('class')} ${e.textContent.slice(0, 30)} ${ink} on ${paper}` });
          }
          found.sort((x, y) => x.ratio - y.ratio);
          return [String(found.length), String(found[0].ratio), found[0].name];
        }
        """;

    // Elements that reach beyond the window and are in no box that scrolls or cuts.
    private const string TooWide = """
        () => Array.from(document.querySelectorAll('body *')).filter(e => e.checkVisibility() && (e.getBoundingClientRect().right > innerWidth + 1 || e.clientWidth > 0 && e.scrollWidth > innerWidth))
          .filter(e => { for (let p = e; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return false; return true; })
          .map(e => `${e.tagName}.${e.getAttribute('class')} in ${e.parentElement.tagName}.${e.parentElement.getAttribute('class')}`).slice(0, 10)
        """;

    [Theory]
    [InlineData("full", ColorScheme.Light)]
    [InlineData("full", ColorScheme.Dark)]
    [InlineData("broken", ColorScheme.Light)]
    [InlineData("broken", ColorScheme.Dark)]
    public async Task Text_has_contrast_in_both_colour_schemes(string sample, ColorScheme scheme)
    {
        await using Visit visit = await chromium.OpenAsync(sample, new BrowserNewContextOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
        string[] positions = sample == "full" ? ["0", "4", "8"] : ["none"];
        foreach (string position in positions)
        {
            if (position != "none") await visit.Page.Locator("#precision").FillAsync(position);
            string[] worst = await visit.Ask<string[]>(Contrasts);
            Assert.InRange(int.Parse(worst[0], System.Globalization.CultureInfo.InvariantCulture), 500, int.MaxValue);
            Assert.True(double.Parse(worst[1], System.Globalization.CultureInfo.InvariantCulture) >= 4.5, $"{worst[1]}: {worst[2]}");
        }
    }

    [Fact]
    public async Task The_page_is_light_or_dark_as_the_user_prefers()
    {
        byte[] light = await FirstPixel(ColorScheme.Light), dark = await FirstPixel(ColorScheme.Dark);
        Assert.All(light, channel => Assert.InRange(channel, (byte)240, (byte)255));
        Assert.All(dark, channel => Assert.InRange(channel, (byte)0, (byte)40));

        async Task<byte[]> FirstPixel(ColorScheme scheme)
        {
            await using Visit visit = await chromium.OpenAsync("full", new BrowserNewContextOptions { ColorScheme = scheme });
            return Pixel(await visit.Page.ScreenshotAsync(new() { Clip = new() { X = 4, Y = 4, Width = 1, Height = 1 } }));
        }
    }

    [Theory]
    [MemberData(nameof(Chromium.Names), MemberType = typeof(Chromium))]
    public async Task A_phone_shows_the_page_without_scrolling_sideways(string sample)
    {
        await using Visit visit = await chromium.OpenAsync(sample, new BrowserNewContextOptions { ViewportSize = new() { Width = 375, Height = 800 }, DeviceScaleFactor = 2, HasTouch = true, IsMobile = true });
        Assert.Empty(await visit.Ask<string[]>(TooWide));
        Assert.InRange(await visit.Ask<int>("() => document.scrollingElement.scrollWidth"), 1, 375);
        Assert.Equal(375, await visit.Ask<int>("() => Math.round(visualViewport.width)")); // not zoomed out to fit something wide
        if (sample == "full")
        {
            Assert.True(await visit.Ask<bool>("() => { const b = document.querySelector('#ledger .box'); b.scrollLeft = 100; return b.scrollLeft === 100; }")); // a wide table scrolls in its own box
            await visit.Page.Locator("#map a", new() { HasText = "layer2.1.relu1" }).TapAsync();
            Assert.Equal(["layer2.1.relu1 activation"], await visit.Page.Locator(".panel:visible h3").AllTextContentsAsync());
            Assert.InRange(await visit.Ask<int>("() => document.scrollingElement.scrollWidth"), 1, 375);
        }

        Assert.Empty(visit.Incidents);
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(375)]
    public async Task Text_of_drawings_stays_legible(int width)
    {
        await using Visit visit = await chromium.OpenAsync("full", new BrowserNewContextOptions { ViewportSize = new() { Width = width, Height = 800 } });
        double smallest = await visit.Ask<double>("() => Math.min(...Array.from(document.querySelectorAll('svg text')).filter(t => t.checkVisibility()).map(t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getScreenCTM().a))");
        Assert.InRange(smallest, 9.5, 20);
    }

    [Fact]
    public async Task Texts_of_a_drawing_do_not_overlap()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        string[] overlaps = await visit.Ask<string[]>("""
            () => Array.from(document.querySelectorAll('svg')).filter(s => s.checkVisibility()).flatMap(s => {
              const boxes = Array.from(s.querySelectorAll('text')).map(t => [t.textContent, t.getBoundingClientRect()]);
              return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 5).map(([b]) => `${a} | ${b}`));
            })
            """);
        Assert.Empty(overlaps);
    }

    [Fact]
    public async Task Paper_shows_everything_that_matters()
    {
        await using Visit visit = await chromium.OpenAsync("full", new BrowserNewContextOptions { ColorScheme = ColorScheme.Dark });
        await visit.Page.EmulateMediaAsync(new() { Media = Media.Print });
        foreach (string part in (string[])["nav", "#tools", "#readout", ".skip"]) Assert.False(await visit.Page.Locator(part).IsVisibleAsync(), part);
        Assert.Equal(19, await visit.Page.Locator(".panel.activation:visible").CountAsync());
        Assert.Empty(await visit.Ask<string[]>("() => Array.from(document.querySelectorAll('section, section table, .map, svg')).filter(e => !e.closest('article, #ledger details')).filter(e => !e.checkVisibility()).map(e => e.outerHTML.slice(0, 80))"));
        Assert.Equal(0, await visit.Ask<int>("() => Array.from(document.querySelectorAll('main *')).filter(e => ['sticky', 'fixed'].includes(getComputedStyle(e).position)).length"));
        Assert.Equal("rgb(255, 255, 255)", await visit.Ask<string>("() => getComputedStyle(document.body).backgroundColor")); // dark only on a screen
        await visit.Page.SetViewportSizeAsync(703, 1000); // A4 within its margins: what is wider would make the printer shrink every page
        Assert.InRange(await visit.Ask<int>("() => document.scrollingElement.scrollWidth"), 1, 703);
        byte[] pdf = await visit.Page.PdfAsync(new() { Format = "A4" });
        Assert.InRange(pdf.Length, 50_000, 10_000_000);
        Assert.Empty(visit.Incidents);
    }

    [Theory]
    [InlineData(ReducedMotion.Reduce, "0s", "auto")]
    [InlineData(ReducedMotion.NoPreference, "0.15s, 0.15s", "smooth")]
    public async Task Nothing_moves_for_those_who_ask_so(ReducedMotion motion, string transition, string scrolling)
    {
        await using Visit visit = await chromium.OpenAsync("full", new BrowserNewContextOptions { ReducedMotion = motion });
        Assert.Equal(transition, await visit.Ask<string>("() => getComputedStyle(document.querySelector('.cell')).transitionDuration"));
        Assert.Equal(scrolling, await visit.Ask<string>("() => getComputedStyle(document.documentElement).scrollBehavior"));
    }

    [Theory]
    [InlineData("full")]
    [InlineData("broken")]
    public async Task Everything_that_is_not_text_has_a_name(string sample)
    {
        await using Visit visit = await chromium.OpenAsync(sample);
        Assert.Empty(await visit.Ask<string[]>("""
            () => Array.from(document.querySelectorAll('[role=img], [role=region], [role=group], img, input, section, article')).filter(e => {
              const ids = (e.getAttribute('aria-labelledby') ?? '').split(' ').filter(id => id !== '');
              const named = ids.length > 0 ? ids.every(id => document.getElementById(id)?.textContent) : e.getAttribute('aria-label') || e.getAttribute('alt') || e.labels?.length > 0 || e.alt === '' && e.closest('th') || e.querySelector(':scope > title')?.textContent;
              return !named;
            }).map(e => e.outerHTML.slice(0, 100))
            """));
        Assert.Equal(0, await visit.Page.Locator("svg:not([role=img]):not([aria-hidden=true])").CountAsync());
    }

    [Fact]
    public async Task Pictures_are_drawn()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        Assert.Equal("32 x 32", await visit.Ask<string>("() => Array.from(document.images).map(i => `${i.naturalWidth} x ${i.naturalHeight}`).reduce((a, b) => a === b ? a : a + ', ' + b)"));
        Assert.Equal("pixelated", await visit.Ask<string>("() => getComputedStyle(document.images[0]).imageRendering"));
    }

    // A screenshot of one pixel: its row is a filter byte, which has nothing to refer to, and the pixel.
    private static byte[] Pixel(byte[] png)
    {
        using MemoryStream data = new();
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            if (png.AsSpan(at + 4, 4).SequenceEqual("IDAT"u8)) data.Write(png, at + 8, length);
            at += 12 + length;
        }

        data.Position = 0;
        using ZLibStream rows = new(data, CompressionMode.Decompress);
        byte[] row = new byte[4];
        rows.ReadExactly(row);
        return row[1..];
    }
}
