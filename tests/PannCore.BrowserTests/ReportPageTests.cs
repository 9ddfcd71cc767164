using Microsoft.Playwright;
using PannCore.Diagnostics;
using PannCore.Tests.Reports;
using Xunit;

namespace PannCore.BrowserTests;

/// <summary>What the report does in a browser: explains, opens, slides, by mouse and by keyboard, and never anything else.</summary>
public sealed class ReportPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [MemberData(nameof(Chromium.Names), MemberType = typeof(Chromium))]
    public async Task Page_says_nothing_and_asks_for_nothing(string sample)
    {
        await using Visit visit = await chromium.OpenAsync(sample);
        await visit.Page.WaitForTimeoutAsync(200);
        Assert.Empty(visit.Incidents);
        Assert.Equal(sample != "empty", await visit.Ask<bool>("() => document.documentElement.classList.contains('live')"));
        Assert.InRange(new FileInfo(chromium.PathOf(sample)).Length, 1, 3_000_000);
    }

    [Fact]
    public async Task An_incident_would_be_noticed()
    {
        await using Visit visit = await chromium.OpenTextAsync(
            "noisy", "<!DOCTYPE html><title>x</title><img src='beside.png'><script>console.log('hello'); throw new Error('thrown');</script>");
        await visit.Page.WaitForTimeoutAsync(200);
        Assert.Contains(visit.Incidents, i => i.StartsWith("console: hello", StringComparison.Ordinal));
        Assert.Contains(visit.Incidents, i => i.StartsWith("error: ", StringComparison.Ordinal) && i.Contains("thrown", StringComparison.Ordinal));
        Assert.Contains(visit.Incidents, i => i.StartsWith("request: ", StringComparison.Ordinal) && i.EndsWith("beside.png", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Policy_stops_a_script_that_is_not_the_pages_own()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        await visit.Ask<object?>("() => { const s = document.createElement('script'); s.textContent = 'window.foreign = 1'; document.body.append(s); }");
        Assert.True(await visit.Ask<bool>("() => window.foreign === undefined"));
        Assert.Contains(visit.Incidents, i => i.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("hostile")]
    [InlineData("long")]
    public async Task Hostile_names_are_inert(string sample)
    {
        await using Visit visit = await chromium.OpenAsync(sample, before: "window.alerts = 0; window.alert = () => { window.alerts += 1; };");
        foreach (string part in (string[])["#map a", "#ledger tbody tr", ".gallery li", ".heat rect"])
            await visit.Page.Locator(part).First.HoverAsync();
        await visit.Page.Locator("#map a").Nth(3).ClickAsync();
        Assert.Equal(0, await visit.Ask<int>("() => window.alerts"));
        Assert.Equal(2, await visit.Page.Locator("script").CountAsync());
        Assert.Equal(0, await visit.Ask<int>("() => document.querySelectorAll('img:not([src^=\"data:image/png\"]), main b b, main style, iframe, object, link[rel=stylesheet]').length"));
        Assert.Equal(0, await visit.Ask<int>("() => Array.from(document.querySelectorAll('*')).filter(e => e.getAttributeNames().some(n => n.startsWith('on'))).length"));
        Assert.StartsWith("file:", visit.Page.Url, StringComparison.Ordinal);
        if (sample == "hostile") Assert.Equal(SampleRecord.HostileNames[0], await visit.Page.TitleAsync());
        Assert.Empty(visit.Incidents);
    }

    [Fact]
    public async Task Pointing_at_an_operation_explains_it()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        ILocator readout = visit.Page.Locator("#readout");
        Assert.False(await readout.IsVisibleAsync());

        ILocator row = visit.Page.Locator("tr[data-row='7']");
        await row.HoverAsync();
        Assert.StartsWith("layer1.0.bn2 (batchnorm2d): ", await readout.TextContentAsync(), StringComparison.Ordinal);
        Assert.Contains("Inherited: RMS 0.0661", await readout.TextContentAsync(), StringComparison.Ordinal);
        Assert.True(await readout.IsVisibleAsync());
        Assert.Contains("current", await row.GetAttributeAsync("class") ?? "", StringComparison.Ordinal);

        await visit.Page.Locator("#depth [data-spot='20']").HoverAsync();
        Assert.StartsWith("layer1.2.conv2 (conv2d): ", await readout.TextContentAsync(), StringComparison.Ordinal);

        await visit.Page.Locator("#bounds .spot").Nth(9).HoverAsync();
        Assert.StartsWith("layer1.0.relu2: largest error ", await readout.TextContentAsync(), StringComparison.Ordinal);

        await visit.Page.Locator("h1").HoverAsync();
        Assert.False(await readout.IsVisibleAsync());
        Assert.Empty(visit.Incidents);
    }

    [Fact]
    public async Task Choosing_an_operation_opens_its_panel_alone()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        ILocator shown = visit.Page.Locator(".panel:visible");
        Assert.Equal(["layer3.2.relu1 activation"], await shown.Locator("h3").AllTextContentsAsync()); // injects most

        await visit.Page.Locator("#map a", new() { HasText = "layer2.1.relu1" }).ClickAsync();
        Assert.Equal(["layer2.1.relu1 activation"], await shown.Locator("h3").AllTextContentsAsync());
        Assert.Equal("true", await visit.Page.Locator("#map a", new() { HasText = "layer2.1.relu1" }).GetAttributeAsync("aria-current"));
        string text = await shown.InnerTextAsync();
        foreach (string part in (string[])["injected by the polynomial", "Where its inputs lie", "Stage by stage", "Channel by channel", "Range", "Its part in the answer", "Further figures", "Accumulated up to here"])
            Assert.Contains(part, text, StringComparison.Ordinal);
        Assert.Equal(2, await shown.Locator("svg[role=img]").CountAsync());

        // From any table, by a name in it; an addition has branches and no polynomial.
        await visit.Page.Locator("#bounds summary").ClickAsync();
        await visit.Page.Locator("#bounds a", new() { HasText = "layer1.0.add" }).ClickAsync();
        Assert.Equal(["layer1.0.add add"], await shown.Locator("h3").AllTextContentsAsync());
        Assert.Contains("through the shortcut", await shown.InnerTextAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("injected by the polynomial", await shown.InnerTextAsync(), StringComparison.Ordinal);
        Assert.True(await InView(visit, ".panels"));
        Assert.Empty(visit.Incidents);
    }

    [Fact]
    public async Task Everything_works_by_keyboard()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the report", await Focused(visit));
        Assert.True(await visit.Ask<bool>("() => document.activeElement.getBoundingClientRect().left >= 0"));

        // The map is one tab stop; arrows walk, Enter opens, Escape comes back.
        for (int presses = 0; !(await Focused(visit)).StartsWith("conv1", StringComparison.Ordinal) && presses < 40; presses++) await visit.Page.Keyboard.PressAsync("Tab");
        foreach (string key in (string[])["ArrowDown", "ArrowRight", "ArrowDown", "ArrowUp"]) await visit.Page.Keyboard.PressAsync(key);
        Assert.Equal("relu1 3.10\u00A0%", await Focused(visit));
        Assert.NotEqual("none", await visit.Ask<string>("() => getComputedStyle(document.activeElement).outlineStyle"));
        Assert.StartsWith("relu1 (activation): ", await visit.Page.Locator("#readout").TextContentAsync(), StringComparison.Ordinal);
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.Equal(["relu1 activation"], await visit.Page.Locator(".panel:visible h3").AllTextContentsAsync());
        Assert.Equal("op-2", await visit.Ask<string>("() => document.activeElement.id"));
        await visit.Page.Keyboard.PressAsync("Escape");
        Assert.Equal("relu1 3.10\u00A0%", await Focused(visit));
        await visit.Page.Keyboard.PressAsync("End");
        Assert.StartsWith("linear", await Focused(visit), StringComparison.Ordinal);
        await visit.Page.Keyboard.PressAsync("Home");
        Assert.StartsWith("conv1", await Focused(visit), StringComparison.Ordinal);

        // So is the table.
        await visit.Page.Locator(".ledger th a").First.FocusAsync();
        await visit.Page.Keyboard.PressAsync("ArrowDown");
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.Equal(["bn1 batchnorm2d"], await visit.Page.Locator(".panel:visible h3").AllTextContentsAsync());
        Assert.True(await InView(visit, ".panels"));
        Assert.Empty(visit.Incidents);
    }

    [Fact]
    public async Task Slider_recolours_the_map_and_changes_the_figures()
    {
        RunRecord record = SampleRecord.Full();
        await using Visit visit = await chromium.OpenAsync("full");
        ILocator slider = visit.Page.GetByLabel("Polynomial, from coarse to fine"), figures = visit.Page.Locator("#precision-figures"), cell = visit.Page.Locator("#map a").Nth(40);
        Assert.Equal("range", await slider.GetAttributeAsync("type"));
        Assert.Equal("4", await slider.InputValueAsync());
        Assert.StartsWith("61.3\u00A0% right with composite:alpha=8 (as inspected), 309 of 1,000 predictions changed", await figures.TextContentAsync(), StringComparison.Ordinal);
        string before = await cell.Locator("b").TextContentAsync() ?? "", colour = await Colour(cell);

        // One step coarser, by keyboard.
        await slider.FocusAsync();
        await visit.Page.Keyboard.PressAsync("ArrowLeft");
        SweepStep coarser = record.Sweep!.Steps[3];
        Assert.StartsWith($"{coarser.Accuracy}\u00A0% right with composite:alpha=7, {coarser.Changed} of 500 predictions changed", await figures.TextContentAsync(), StringComparison.Ordinal);
        Assert.Equal($"composite:alpha=7, {coarser.Accuracy}\u00A0% right", await slider.GetAttributeAsync("aria-valuetext"));
        Assert.NotEqual(before, await cell.Locator("b").TextContentAsync());
        await WaitForColour(cell, colour, same: false);
        Assert.Equal("3", await visit.Page.Locator(".point.current").GetAttributeAsync("data-step"));
        await cell.HoverAsync();
        Assert.Contains("with composite:alpha=7: total ", await visit.Page.Locator("#readout").TextContentAsync(), StringComparison.Ordinal);

        // To the finest, and back to what was inspected.
        await slider.FocusAsync();
        await visit.Page.Keyboard.PressAsync("End");
        Assert.StartsWith("88.7\u00A0% right with composite:alpha=12", await figures.TextContentAsync(), StringComparison.Ordinal);
        await slider.FillAsync("4");
        Assert.Equal(before, await cell.Locator("b").TextContentAsync());
        await WaitForColour(cell, colour, same: true);
        Assert.Empty(visit.Incidents);
    }

    [Fact]
    public async Task Colours_follow_the_chosen_cause()
    {
        await using Visit visit = await chromium.OpenAsync("full");
        ILocator conv = visit.Page.Locator("#map a").Nth(40), rect = visit.Page.Locator(".heat g").First.Locator("rect").Nth(40);
        string total = await Colour(conv);
        await visit.Page.GetByLabel("total", new() { Exact = true }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        Assert.True(await visit.Page.GetByLabel("injected", new() { Exact = true }).IsCheckedAsync());
        Assert.Equal("h0", await rect.GetAttributeAsync("class")); // a convolution injects rounding only, at every precision
        await WaitForColour(conv, total, same: false);
        await visit.Page.Keyboard.PressAsync("ArrowRight");
        await WaitForColour(conv, total, same: true); // all of it is inherited
        Assert.Equal(["inherited"], await visit.Page.Locator(".heat-cause").AllTextContentsAsync());
        Assert.Empty(visit.Incidents);
    }

    [Fact]
    public async Task Without_script_the_same_figures_are_there()
    {
        await using Visit visit = await chromium.OpenAsync("full", new BrowserNewContextOptions { JavaScriptEnabled = false });
        Assert.False(await visit.Page.Locator("#tools").IsVisibleAsync());
        Assert.Equal(70, await visit.Page.Locator(".panel:visible").CountAsync());
        await visit.Page.Locator("#map a", new() { HasText = "layer2.1.relu1" }).ClickAsync();
        Assert.EndsWith("#op-34", visit.Page.Url, StringComparison.Ordinal);
        ILocator panel = visit.Page.Locator("#op-34");
        Assert.Equal("layer2.1.relu1 activation", await panel.Locator("h3").TextContentAsync());
        LocatorBoundingBoxResult? box = await panel.BoundingBoxAsync();
        Assert.InRange(box!.Y, -5, 900);
        Assert.Empty(visit.Incidents);
    }

    private static Task<string> Focused(Visit visit) => visit.Ask<string>("() => document.activeElement.innerText.replace(/\\n+/g, ' ').replace(/^.*[.]\\s?(?=[a-z])/, '')");

    private static Task<string> Colour(ILocator element) => element.EvaluateAsync<string>("e => getComputedStyle(e).backgroundColor");

    // A colour arrives after its transition.
    private static async Task WaitForColour(ILocator element, string colour, bool same)
    {
        for (int i = 0; i < 40 && (await Colour(element) == colour) != same; i++) await Task.Delay(25);
        Assert.Equal(same, await Colour(element) == colour);
    }

    private static async Task<bool> InView(Visit visit, string selector)
    {
        for (int i = 0; i < 60; i++)
        {
            if (await visit.Ask<bool>("s => { const r = document.querySelector(s).getBoundingClientRect(); return r.bottom > 100 && innerHeight - 100 > r.top; }", selector)) return true;
            await Task.Delay(25); // scrolling is smooth where the user allows it
        }

        return false;
    }
}
