using Kv.Operator.Local;
using Xunit;

namespace Kv.Operator.Tests.Local;

public sealed class LocalFilesTests
{
    [Fact]
    public void ADataDirectoryThatCannotBeMade_IsSaid()
    {
        var file = Path.GetTempFileName();
        try
        {
            var refused = Assert.Throws<WorldException>(() => new LocalFiles(Path.Combine(file, "kv")).Lock());
            Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void AFileThatCannotBeWritten_IsSaid()
    {
        var directory = Directory.CreateTempSubdirectory("kv-local-");
        try
        {
            directory.CreateSubdirectory("status.yaml.new");
            var refused = Assert.Throws<WorldException>(() => new LocalFiles(directory.FullName).WriteStatus([]));
            Assert.Contains("status.yaml cannot be written", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
