using System.Reflection;

namespace Kv.Tidy.Tests;

/// <summary>The source tree that these tests read: its root, and the files in it that people write.</summary>
internal static class Repository
{
    /// <summary>The directory that holds the solution, found upwards from the test program.</summary>
    public static string Root { get; } = FindRoot();

    private static readonly string[] NotWritten = [".git", ".artifacts", "bin", "TestResults", "obj", ".kv", ".vs", "node_modules"];

    /// <summary>Every written file whose name ends as asked, as a path from the root with forward slashes, in order.</summary>
    public static IReadOnlyList<string> Files(string ending, params string[] folders)
    {
        var all = Walk(Root).Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => path.EndsWith(ending, StringComparison.Ordinal))
            .Where(path => folders.Length == 0 || folders.Any(folder => path.StartsWith(folder + "/", StringComparison.Ordinal)));
        return [.. all.Order(StringComparer.Ordinal)];
    }

    /// <summary>The text of a file named by its path from the root.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>The lines of a file named by its path from the root.</summary>
    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    private static IEnumerable<string> Walk(string directory)
    {
        foreach (var file in Directory.EnumerateFiles(directory))
        {
            yield return file;
        }
        foreach (var child in Directory.EnumerateDirectories(directory).Where(child => !NotWritten.Contains(Path.GetFileName(child))))
        {
            foreach (var file in Walk(child))
            {
                yield return file;
            }
        }
    }

    private static string FindRoot()
    {
        var start = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!;
        for (var at = new DirectoryInfo(start); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Kv.Operator.sln")))
            {
                return at.FullName;
            }
        }
        throw new InvalidOperationException($"no Kv.Operator.sln above {start}");
    }
}
