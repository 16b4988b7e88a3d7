using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>What the chart repeats of the rest of the tree is the same there.</summary>
public sealed class ChartTests
{
    [Fact]
    public void Crds_OfTheChart_AreTheGeneratedOnes()
    {
        var generated = Directory.GetFiles(Path.Combine(Repository.Root, "crds"), "*.yaml").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).ToArray();
        var copies = Directory.GetFiles(Path.Combine(Repository.Root, "charts/kv-operator/files/crds")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);
        Assert.Equal(generated, copies);
        Offenders.None(
            generated.Where(name => Repository.Read($"crds/{name}") != Repository.Read($"charts/kv-operator/files/crds/{name}")),
            "copies that are not current: make crds");
    }

    [Fact]
    public void AppVersion_IsTheProgramsVersion()
    {
        var version = System.Xml.Linq.XDocument.Parse(Repository.Read("Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.Contains($"appVersion: \"{version}\"", Repository.Lines("charts/kv-operator/Chart.yaml"));
    }
}
