namespace Kv.Operator.Tests.Stubs;

/// <summary>The tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string Find(string directory)
    {
        while (!File.Exists(Path.Combine(directory, "Kv.Operator.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("these tests run from inside the repository");
        }

        return directory;
    }
}
