using System.Xml.Linq;
using Xunit;

namespace Kv.Tidy.Tests;

/// <summary>What the compiler sees to, it sees to everywhere: the settings stand in one place, and no project is exempt.</summary>
public sealed class BuildSettingsTests
{
    private const string Build = "Directory.Build.props";
    private const string Packages = "Directory.Packages.props";
    private const string BannedSymbols = ".banned/BannedSymbols.deterministic.txt";

    /// <summary>Settings, where each stands, and its value there.</summary>
    private static readonly (string Name, string File, string Value)[] Settings =
    [
        ("Nullable", Build, "enable"),
        ("TreatWarningsAsErrors", Build, "true"),
        ("EnableNETAnalyzers", Build, "true"),
        ("AnalysisLevel", Build, "latest-recommended"),
        ("EnforceCodeStyleInBuild", Build, "true"),
        ("ManagePackageVersionsCentrally", Packages, "true"),
        ("CentralPackageTransitivePinningEnabled", Packages, "true"),
    ];

    /// <summary>Settings that would take from those above, and stand nowhere.</summary>
    private static readonly string[] Never =
        ["WarningsNotAsErrors", "MSBuildTreatWarningsAsErrors", "WarningLevel", "RunAnalyzers", "RunAnalyzersDuringBuild", "AnalysisMode", "CentralPackageVersionOverrideEnabled", "VersionOverride"];

    public static TheoryData<string> Pure => ["Kv.Core", "Kv.Cluster", "Kv.Operator.Api"];

    /// <summary>Ways to the world, as documentation comments name them.</summary>
    public static TheoryData<string> Banned =>
    [
        "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.Now", "P:System.DateTimeOffset.UtcNow", "P:System.TimeProvider.System", "T:System.Environment",
        "M:System.Guid.NewGuid", "P:System.Random.Shared", "M:System.Random.#ctor", "T:System.Security.Cryptography.RandomNumberGenerator",
        "T:System.Threading.Thread", "T:System.Threading.ThreadPool", "T:System.Threading.Timer", "T:System.Threading.Tasks.Parallel", "T:System.Threading.Tasks.TaskFactory", "P:System.Threading.Tasks.TaskScheduler.Default",
        "M:System.Threading.Tasks.Task.Run(System.Action)", "M:System.Threading.Tasks.Task.Run(System.Func{System.Threading.Tasks.Task})", "M:System.Threading.Tasks.Task.Delay(System.TimeSpan)",
        "M:System.Threading.Tasks.Task.ConfigureAwait(System.Boolean)", "M:System.Threading.Tasks.Task.ConfigureAwait(System.Threading.Tasks.ConfigureAwaitOptions)",
        "N:System.Net.Sockets", "N:System.Net.Http", "T:System.IO.File", "T:System.IO.FileStream", "T:System.IO.Directory", "T:System.Console", "T:System.Diagnostics.Process",
    ];

    [Fact]
    public void Setting_StandsInItsFile_ForAllProjects()
    {
        var missing = Settings.Where(setting => !Elements(setting.File, setting.Name).Any(element => IsForAll(element) && element.Value == setting.Value));
        Offenders.None(missing.Select(setting => $"{setting.File}: {setting.Name} is not {setting.Value}"), "settings of all projects");
    }

    [Fact]
    public void Setting_IsOverriddenNowhere()
    {
        var overridden =
            from path in ProjectFiles()
            from setting in Settings
            from element in Elements(path, setting.Name)
            where path != setting.File || element.Value != setting.Value || !IsForAll(element)
            select $"{path}: {setting.Name}";
        var weakened =
            from path in ProjectFiles()
            from name in Never
            where Elements(path, name).Any() || XDocument.Parse(Repository.Read(path)).Descendants().Any(element => element.Attribute(name) is not null)
            select $"{path}: {name}";
        Offenders.None(overridden.Concat(weakened), "a project that makes an exception of itself");
    }

    [Fact]
    public void Warning_IsSilencedForAllProjectsOrNone()
    {
        var elsewhere = ProjectFiles().Where(path => path != Build && Elements(path, "NoWarn").Any());
        Offenders.None(elsewhere, "NoWarn stands in Directory.Build.props");
        Assert.Equal("$(NoWarn);CS1591;CS1573;CS1712", Assert.Single(Elements(Build, "NoWarn")).Value);
    }

    [Theory, MemberData(nameof(Pure))]
    public void PureProject_IsHeldToTheBannedSymbols(string project)
    {
        var group = Assert.Single(Elements(Build, "KvDeterministic")).Parent!;
        Assert.Contains($"'$(MSBuildProjectName)' == '{project}'", group.Attribute("Condition")!.Value, StringComparison.Ordinal);
        Assert.Equal("true", group.Element("KvDeterministic")!.Value);
        var items = Elements(Build, "AdditionalFiles").Single().Parent!;
        Assert.Equal("'$(KvDeterministic)' == 'true'", items.Attribute("Condition")!.Value);
        Assert.Equal($"$(MSBuildThisFileDirectory){BannedSymbols}", items.Element("AdditionalFiles")!.Attribute("Include")!.Value);
        Assert.Equal("Microsoft.CodeAnalysis.BannedApiAnalyzers", items.Element("PackageReference")!.Attribute("Include")!.Value);
    }

    [Fact]
    public void BannedSymbols_AreSilencedNowhere()
    {
        var projects = ProjectFiles().Where(path => path != Build && Repository.Read(path) is var text && (text.Contains("KvDeterministic", StringComparison.Ordinal) || text.Contains("AdditionalFiles", StringComparison.Ordinal)));
        var sources = Repository.Files(".cs", "node", "operator").Concat(Repository.Files(".editorconfig")).Concat(Repository.Files(".globalconfig"))
            .Where(path => Repository.Read(path).Contains("RS0030", StringComparison.Ordinal));
        // The analyzer passes over files of other names without a word.
        Assert.StartsWith("BannedSymbols.", Path.GetFileName(BannedSymbols), StringComparison.Ordinal);
        Offenders.None(projects.Concat(sources), "the banned symbols are banned for good");
    }

    [Theory, MemberData(nameof(Banned))]
    public void WayToTheWorld_IsBanned(string symbol) =>
        Assert.Contains(symbol, Repository.Lines(BannedSymbols).Select(line => line.Split(';')[0]));

    private static IEnumerable<string> ProjectFiles() =>
        Repository.Files(".csproj").Concat(Repository.Files(".props")).Concat(Repository.Files(".targets"));

    private static IEnumerable<XElement> Elements(string path, string name) => XDocument.Parse(Repository.Read(path)).Descendants(name);

    private static bool IsForAll(XElement element) => element.AncestorsAndSelf().All(one => one.Attribute("Condition") is null);
}
