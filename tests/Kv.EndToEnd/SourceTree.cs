using System.Reflection;

namespace Kv.EndToEnd;

/// <summary>Where the sources lie that this program was built from: its scripts, chart and manifests are used from there.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var at = new FileInfo(Assembly.GetExecutingAssembly().Location).Directory; at is not null; at = at.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(at.FullName, "Kv.Operator.sln")))
            {
                return at.FullName;
            }
        }
        throw new InvalidOperationException("no Kv.Operator.sln above the test program");
    }
}
